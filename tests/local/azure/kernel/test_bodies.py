"""Shapes of request bodies: all faults at once, in the service's words, each with its place."""

from __future__ import annotations

import pytest

from local.azure.kernel.bodies import (
    TAGS,
    Choice,
    Object,
    boolean,
    check,
    list_of,
    map_of,
    number,
    one_of,
    resource,
    text,
)
from local.azure.kernel.http import ServiceError

JOB = Object(
    name="Job",
    members={"name": text, "nodes": number, "wait": boolean, "steps": list_of(text), "tags": TAGS},
    required=("name",),
)


def faults(shape, body):
    with pytest.raises(ServiceError) as refused:
        check(shape, body)
    assert (refused.value.status, refused.value.code) == (400, "UserError")
    return [detail.message for detail in refused.value.details]


@pytest.mark.parametrize(
    "body",
    [
        {"name": "a"},
        {"name": 5, "nodes": "7", "wait": "True", "steps": None, "tags": {"a": None}},
        {"name": True, "nodes": 1.5, "wait": False, "steps": ["x", 1]},
    ],
)
def test_values_are_converted_as_leniently_as_by_the_service(body):
    assert check(JOB, body) is body


def test_all_faults_of_a_body_are_told_each_with_its_place():
    found = faults(JOB, {"nodes": "many", "steps": [{}], "tags": {"a": []}, "unknown": 1})
    assert found == [
        "Could not convert 'many' to a number. Path 'nodes'.",
        "Error reading string. Unexpected token: StartObject. Path 'steps[0]'.",
        "Error reading string. Unexpected token: StartArray. Path 'tags.a'.",
        "Could not find member 'unknown' on object of type 'Job'. "
        "Path 'unknown', line 1, position 55.",
        "Required property 'name' not found in JSON or null on object of type 'Job'. Path ''.",
    ]


@pytest.mark.parametrize(
    ("shape", "value", "words"),
    [
        (boolean, "yes", "Could not convert string to boolean: yes."),
        (one_of("Dedicated", "LowPriority"), "cheap", "it must be one of Dedicated, LowPriority."),
        (list_of(text), {}, "Cannot deserialize StartObject into a list."),
        (map_of(text), [1], "Cannot deserialize StartArray into a map."),
        (JOB, "x", "Cannot deserialize 'x' into 'Job'."),
    ],
)
def test_values_of_the_wrong_kind(shape, value, words):
    (found,) = faults(Object(name="Body", members={"m": shape}), {"m": value})
    assert words in found


def test_words_are_read_in_any_case():
    shape = Object(name="Body", members={"m": one_of("Dedicated")})
    assert check(shape, {"m": "dedicated"}) == {"m": "dedicated"}


def test_the_kind_of_a_choice_decides_its_shape():
    limits = Object(name="Limits", members={"kind": text, "limit": number})
    shape = resource(Choice(by="kind", choices={"Fixed": limits, "Free": JOB}))
    check(shape, {"id": "x", "properties": {"kind": "fixed", "limit": 1}})
    (found,) = faults(shape, {"properties": {"kind": "fixed", "limit": "x"}})
    assert found == "Could not convert 'x' to a number. Path 'limit'."


def test_a_kind_that_is_not_there_is_named():
    shape = resource(Choice(by="kind", choices={"Fixed": JOB}))
    (found,) = faults(shape, {"properties": {"kind": "Loose"}})
    assert found == "'Loose' is no kind: Fixed. Path 'properties.kind'."


def test_a_body_is_an_object_with_properties():
    with pytest.raises(ServiceError, match="must be a JSON object"):
        check(JOB, [])
    (found,) = faults(resource(JOB), {})
    assert found.startswith("Required property 'properties' not found")
