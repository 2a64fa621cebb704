"""The verbs' own causes have the form of the tasks' and are not theirs."""

import re
import string

import pytest

from amltasks import errors
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
