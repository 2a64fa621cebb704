"""The verbs' own causes have the form of the tasks' and are not theirs."""

import re
import string

import pytest
from click.testing import CliRunner

from amltasks import errors
from amltasks.admin import __main__ as main_module
from amltasks.admin import causes
from amltasks.errors import Cause

CAUSES = {name: found for name, found in vars(causes).items() if isinstance(found, Cause)}


@pytest.mark.parametrize("name", CAUSES)
def test_a_cause_is_named_by_its_code_and_is_one_sentence(name: str) -> None:
    cause = CAUSES[name]
    assert cause.code == name
    template = cause.happened + cause.next_step
    facts = {field: "fact" for _, field, _, _ in string.Formatter().parse(template) if field}
    assert re.fullmatch(r"[A-Z_]+: .+[.!?…] Next: .+[.!?…]", str(cause.error(**facts)))


def test_a_code_means_one_thing() -> None:
    ours = {cause.code for cause in vars(errors).values() if isinstance(cause, Cause)}
    assert not ours & CAUSES.keys()


def test_what_nobody_foresaw_is_one_sentence_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("by nothing")

    monkeypatch.setattr(main_module, "open_organization", broken)
    given = ["doctor", "--organization", "o", "--project", "p", "--connection", "c"]
    given += ["--resource-group", "g", "--workspace", "w"]
    ended = CliRunner().invoke(main_module.main, given, env={"AZURE_DEVOPS_EXT_PAT": "token"})
    assert ended.exit_code == 1, ended.output
    assert (
        "UNEXPECTED: the verb failed in a way that it does not know: ZeroDivisionError"
        in ended.output
    )
    assert "Traceback" not in ended.output
