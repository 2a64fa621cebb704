"""What a running step remembers: issues, progress, outputs, its result."""

from __future__ import annotations

import pytest

from local.agent.job.step_record import MAX_ISSUES, Restrictions
from local.agent.session.task_result import Result


def test_ten_issues_of_each_kind_are_kept(record):
    for number in range(15):
        record.error(f"e{number}", f"E{number}")
        record.warning(f"w{number}")
    kinds = [issue.type for issue in record.issues]
    assert (kinds.count("error"), kinds.count("warning")) == (MAX_ISSUES, MAX_ISSUES)
    assert (record.issues[0].message, record.issues[0].code) == ("e0", "E0")
    assert record.result is None


def test_all_issues_are_in_the_log_and_without_secrets(record, masker, tmp_path):
    masker.add_variable("hunter22")
    for number in range(12):
        record.error(f"{number} hunter22")
    log = (tmp_path / "step.log").read_text()
    assert log.count("##[error]") == 12
    assert "hunter22" not in log
    assert record.issues[0].message == "0 ***"


def test_failing_is_an_error_and_the_result(record):
    record.fail("bad")
    assert (record.result, record.issues[0].message) == (Result.Failed, "bad")


def test_progress_never_falls_and_stays_in_range(record):
    for percent in (30, 10, -5, 250):
        record.progress(percent, f"at {percent}")
    assert (record.percent, record.operation) == (100, "at 250")


def test_progress_shows_when_it_changes(record, capsys):
    record.progress(10, "reading")
    record.progress(10, "reading")
    record.progress(5, "")
    assert capsys.readouterr().out.count("10 % reading") == 1


def test_debug_lines_wait_for_system_debug(record, tmp_path):
    record.debug("hidden")
    record.variables.set("System.Debug", "TRUE")
    record.debug("shown")
    log = (tmp_path / "step.log").read_text()
    assert "hidden" not in log
    assert "##[debug]shown" in log


def test_outputs_are_not_set_under_their_bare_name(record):
    record.output_names = frozenset({"declared"})
    record.set_variable("Declared", "1")
    record.set_variable("b", "2", output=True)
    record.set_variable("c", "3")
    found = [record.variables.get(name) for name in ("step.declared", "declared", "step.b", "b")]
    assert found == ["1", None, "2", None]
    assert record.variables.get("c") == "3"
    assert record.variables.is_read_only("step.b")
    assert record.outputs == {"Declared": ("1", False), "b": ("2", False)}


@pytest.mark.parametrize(
    ("patterns", "name", "allowed"),
    [
        ([None], "any", True),
        ([()], "any", False),
        ([("my*",)], "MyVar", True),
        ([("my*",), ("other",)], "myVar", False),
    ],
)
def test_every_restriction_must_let_a_variable_be_set(record, patterns, name, allowed):
    record.restrictions = [Restrictions(settable_variables=one) for one in patterns]
    assert record.may_set(name) is allowed
    assert bool(record.issues) is not allowed


def test_restricted_commands(record):
    assert record.command_allowed(harmless=False)
    record.restrictions = [Restrictions(), Restrictions(commands=True)]
    assert not record.command_allowed(harmless=False)
    assert record.command_allowed(harmless=True)
