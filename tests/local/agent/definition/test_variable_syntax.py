"""The forms of ``variables:``."""

from __future__ import annotations

from pathlib import Path

import pytest

from local.agent.definition.document import parse
from local.agent.definition.fields import Fields
from local.agent.definition.model import VariableDefinition
from local.agent.definition.variable_groups import VariableGroups
from local.agent.definition.variable_syntax import overridden, read_variables
from local.agent.errors import PipelineFileError


def variables(text):
    fields = Fields(parse(text, Path("file.yml")), "the pipeline", ("variables",))
    return read_variables(fields, VariableGroups(files={}, environment={}))


def test_both_forms_say_the_same():
    mapping = variables("variables: {a: 1, b: '$[ counter() ]'}\n")
    listed = variables("variables: [{name: a, value: 1}, {name: b, value: '$[ counter() ]'}]\n")
    assert mapping == listed
    assert [(one.name, one.value, one.expression) for one in listed] == [
        ("a", "1", None),
        ("b", "", " counter() "),
    ]


def test_a_variable_may_be_read_only():
    (one,) = variables("variables: [{name: a, value: x, readonly: true}]\n")
    assert one.read_only


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("variables: [{value: 1}]\n", "a variable needs a name"),
        ("variables: [{group: ''}]\n", "needs the group's name"),
        ("variables: [{group: g, name: a}]\n", "has no key 'name'"),
        ("variables: {a: '$[ nosuch() ]'}\n", "variable 'a': "),
        ("variables: {a: '$[ 1 + ]'}\n", "variable 'a': "),
    ],
)
def test_what_is_no_variable(text, words):
    with pytest.raises(PipelineFileError, match=words):
        variables(text)


def test_the_command_line_replaces_in_any_case():
    kept = VariableDefinition(name="other", value="1")
    found = overridden([kept, VariableDefinition(name="Epochs", value="9")], {"epochs": "1"})
    given = VariableDefinition(name="epochs", value="1", from_command_line=True)
    assert found == (kept, given)
