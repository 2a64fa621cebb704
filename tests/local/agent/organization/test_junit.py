"""Test results in JUnit's form."""

from __future__ import annotations

import json

import pytest

from local.agent.errors import AgentError
from local.agent.organization.junit import read_results

CASES = """<testsuites><testsuite name="gate">
  <testcase classname="gate" name="accuracy" time="0.5"/>
  <testcase name="size"><failure message="too large">
    why
  </failure></testcase>
  <testcase name="crash"><error message="boom"/></testcase>
  <testcase name="slice"><skipped message="no rows"/></testcase>
</testsuite></testsuites>"""


@pytest.fixture
def results(tmp_path):
    def read(content):
        file = tmp_path / "results.xml"
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_results(file)

    return read


def test_outcomes_names_and_messages(results):
    found = results(CASES)
    assert [one["outcome"] for one in found] == ["Passed", "Failed", "Failed", "NotExecuted"]
    assert [one["automatedTestName"] for one in found][:2] == ["gate.accuracy", "size"]
    assert (found[1]["errorMessage"], found[1]["stackTrace"]) == ("too large", "why")
    assert "errorMessage" not in found[3]


@pytest.mark.parametrize(
    ("written", "expected"),
    [("0.5", 500.0), ("1e1", 10000.0), ("", 0.0), ("fast", 0.0), ("nan", 0.0), ("inf", 0.0)],
)
def test_a_time_is_a_number_that_json_has(results, written, expected):
    (found,) = results(f'<testsuite><testcase name="a" time="{written}"/></testsuite>')
    assert found["durationInMs"] == expected
    assert json.loads(json.dumps(found, allow_nan=False)) == found


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no xml",
        b"<testsuite>",
        b'<?xml version="1.0" encoding="nonsense"?><testsuite/>',
        b'<?xml version="1.0" encoding="shift_jis"?><testsuite/>',
        b'<?xml version="1.0" encoding="utf-8"?><testsuite name="\xff"/>',
    ],
)
def test_a_file_that_cannot_be_read_is_named(results, content):
    with pytest.raises(AgentError, match=r"results.xml' has no JUnit results"):
        results(content)


def test_another_encoding_is_read(results):
    content = '<?xml version="1.0" encoding="latin-1"?><testsuite><testcase name="caf\u00e9"/>'
    (found,) = results((content + "</testsuite>").encode("latin-1"))
    assert found["testCaseTitle"] == "caf\u00e9"
