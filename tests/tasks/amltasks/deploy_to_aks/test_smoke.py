"""The smoke file and the comparison of answers."""

import json
from pathlib import Path

import pytest

from amltasks.deploy_to_aks import smoke
from amltasks.deploy_to_aks.smoke import Row
from amltasks.errors import TaskError
from amltasks.workspace.port import Answer

ROWS = (Row(input="made of plastic", expected=1), Row(input="made of steel", expected=0))


def test_reads_rows_and_asks_for_them_all_at_once(tmp_path: Path) -> None:
    file = tmp_path / "smoke.json"
    file.write_text('\ufeff[{"input": "ä", "expected": 1, "note": "x"}]', encoding="utf-8")
    rows = smoke.read(file)
    assert rows == (Row(input="ä", expected=1),)
    assert json.loads(smoke.request(smoke.Test(rows=rows))) == {"data": ["ä"]}


def test_an_mlflow_model_is_asked_in_its_own_way() -> None:
    texts = smoke.request(smoke.Test(rows=ROWS, mlflow=True))
    assert json.loads(texts) == {"input_data": ["made of plastic", "made of steel"]}
    named = (Row(input={"age": 3, "size": 1}, expected=1), Row(input={"size": 2}, expected=0))
    table = {"columns": ["age", "size"], "index": [0, 1], "data": [[3, 1], [None, 2]]}
    asked = smoke.request(smoke.Test(rows=named, mlflow=True))
    assert json.loads(asked) == {"input_data": table}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"[", "it is not JSON"),
        (b"\xff\xfe", "it is not UTF-8 text"),
        (b"[]", "no list of at least one row"),
        (b'{"input": 1, "expected": 1}', "no list of at least one row"),
        (b'[{"input": 1, "expected": 1}, {"input": 2}]', "row 2 has not both"),
        (b"[7]", "row 1 has not both"),
        (b'[{"input": 1, "expected": 1, "tolerance": -1}]', "the tolerance of row 1 is -1"),
        (b'[{"input": 1, "expected": 1, "tolerance": "1"}]', 'the tolerance of row 1 is "1"'),
        (b'[{"input": 1, "expected": 1, "tolerance": true}]', "the tolerance of row 1 is true"),
        (b'[{"input": 1, "expected": 1, "tolerance": NaN}]', "the tolerance of row 1 is NaN"),
        (b'[{"input": 1, "expected": "a", "tolerance": 1}]', "beside a number in 'expected'"),
    ],
)
def test_a_wrong_file_is_a_named_error(tmp_path: Path, content: bytes, words: str) -> None:
    file = tmp_path / "smoke.json"
    file.write_bytes(content)
    with pytest.raises(
        TaskError, match="SMOKE_FILE_INVALID: the task cannot use the smoke file"
    ) as found:
        smoke.read(file)
    assert words in str(found.value)


@pytest.mark.parametrize(
    "body",
    [
        '{"predictions": [1, 0], "scores": [0.9, 0.1]}',
        '{"result": [1, 0]}',
        "[1, 0]",
        "[1.0, 0.0]",
        json.dumps("[1, 0]"),
        json.dumps('{"predictions": [1, 0]}'),
    ],
)
def test_the_usual_answers_are_understood(body: str) -> None:
    assert smoke.compare(ROWS, body) == []


@pytest.mark.parametrize(
    ("got", "right"),
    [("5", True), ("4.6", True), ("5.4", True), ("5.6", False), ("NaN", False), ('"5"', False)],
)
def test_a_number_may_differ_by_the_tolerance(got: str, right: bool) -> None:
    rows = (Row(input={"weight": 1}, expected=5, tolerance=0.5),)
    wrong = smoke.compare(rows, f'{{"predictions": [{got}]}}')
    assert (not wrong) is right
    if wrong:
        assert "expected 5 ± 0.5, got" in str(wrong[0])


def test_a_wrong_label_names_its_row() -> None:
    (wrong,) = smoke.compare(ROWS, '{"predictions": [1, 1]}')
    assert str(wrong) == 'row 2 ("made of steel"): expected 0, got 1'


@pytest.mark.parametrize(
    "body", ["nonsense", '"nonsense"', "{}", '{"error": "x"}', "7", "[1]", "null"]
)
def test_anything_else_is_no_answer(body: str) -> None:
    with pytest.raises(ValueError):
        smoke.compare(ROWS, body)


class Service:
    """Answers rows by `seconds`, one after the other, and anything else with `refusal`."""

    def __init__(self, *seconds: float, refusal: int = 400) -> None:
        self.seconds = list(seconds)
        self.refusal = refusal

    def score(self, body: str) -> Answer:
        try:
            json.loads(body)
        except ValueError:
            return Answer(status=self.refusal, body="no", seconds=0.1)
        return Answer(status=200, body="[1, 0]", seconds=self.seconds.pop(0))


@pytest.mark.parametrize(
    ("test", "service", "words"),
    [
        (smoke.Test(rows=ROWS), Service(), ""),
        (smoke.Test(rows=ROWS, max_seconds=0.5), Service(9, 9, 0.1, 0.5, 0.5), ""),
        (
            smoke.Test(rows=ROWS, max_seconds=0.5),
            Service(0.6, 0.6, 0.6, 0.1, 0.1),
            "take 0.6 s, more than the 0.5 s of smokeMaxSeconds",
        ),
        (smoke.Test(malformed=True), Service(), ""),
        (smoke.Test(malformed=True), Service(refusal=200), "got HTTP 200, and must get a 4xx"),
        (smoke.Test(malformed=True), Service(refusal=500), "got HTTP 500, and must get a 4xx"),
    ],
)
def test_speed_and_malformed_requests(test: smoke.Test, service: Service, words: str) -> None:
    found = smoke.strained(test, service.score)
    assert words in found
    assert bool(found) is bool(words)
