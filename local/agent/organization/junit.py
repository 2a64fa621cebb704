"""Reads test results in JUnit's form for a test run of the service.

The agent: src/Agent.Worker/TestResults/Legacy/JunitResultReader.cs.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import TypedDict
from xml.etree import ElementTree

from local.agent.errors import AgentError

_OUTCOMES = {"failure": "Failed", "error": "Failed", "skipped": "NotExecuted"}


class _TestCaseResult(TypedDict):
    testCaseTitle: str
    automatedTestName: str
    automatedTestStorage: str
    automatedTestType: str
    durationInMs: float
    outcome: str
    state: str


class TestCaseResult(_TestCaseResult, total=False):
    """A test case as the service stores it; a failed one has a message and a stack trace."""

    errorMessage: str
    stackTrace: str


def read_results(file: Path) -> list[TestCaseResult]:
    """Return the test cases of a file.

    Raises:
        AgentError: the file is not JUnit.
    """
    try:
        # A step's own file, read on the machine that the step ran on.
        root = ElementTree.parse(file).getroot()  # noqa: S314
    # An encoding that Python does not know, or that expat does not take, is no ParseError.
    except (ElementTree.ParseError, LookupError, ValueError) as error:
        raise AgentError(
            f"'{file}' has no JUnit results ({error}); the run's tests do not include it"
        ) from None
    return [_result(case) for case in root.iter("testcase")]


def _result(case: ElementTree.Element) -> TestCaseResult:
    name, group = case.get("name", ""), case.get("classname", "")
    found = next((child for child in case if child.tag in _OUTCOMES), None)
    result: TestCaseResult = {
        "testCaseTitle": name,
        "automatedTestName": f"{group}.{name}" if group else name,
        "automatedTestStorage": group,
        "automatedTestType": "JUnit",
        "durationInMs": _milliseconds(case.get("time", "")),
        "outcome": "Passed" if found is None else _OUTCOMES[found.tag],
        "state": "Completed",
    }
    if found is not None and found.tag != "skipped":
        result["errorMessage"] = found.get("message", "")
        result["stackTrace"] = (found.text or "").strip()
    return result


def _milliseconds(seconds: str) -> float:
    try:
        found = float(seconds) * 1000
    except ValueError:
        return 0.0
    # JSON has no NaN and no infinity.
    return found if math.isfinite(found) else 0.0
