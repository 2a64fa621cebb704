"""The causes: their codes, and the one form of their messages."""

import re
import string

import pytest

from amltasks import errors
from amltasks.errors import Cause, TaskError

CAUSES = {name: found for name, found in vars(errors).items() if isinstance(found, Cause)}


@pytest.mark.parametrize("name", CAUSES)
def test_a_cause_is_named_by_its_code(name: str) -> None:
    assert CAUSES[name].code == name


@pytest.mark.parametrize("cause", CAUSES.values(), ids=CAUSES.keys())
def test_a_message_says_what_happened_and_what_to_do(cause: Cause) -> None:
    fields = [f for _, f, _, _ in string.Formatter().parse(cause.happened + cause.next_step) if f]
    facts = {field.partition(":")[0]: 7 if ":" in field else "fact" for field in fields}
    facts.update({"minutes": 7} if "minutes" in facts else {})
    error = cause.error(**facts)
    assert isinstance(error, TaskError)
    assert re.fullmatch(r"[A-Z_]+: .+[.!?…] Next: .+[.!?…]", str(error))


def test_a_value_with_braces_is_shown_as_it_is() -> None:
    error = errors.INPUT_INVALID.error(name="rules", value="{x}", expected="YAML")
    assert "is '{x}', which" in str(error)
