"""Requests and answers as handlers see them."""

from __future__ import annotations

import json

import pytest

from local.azure.kernel.http import (
    MAX_DEPTH,
    Request,
    ServiceError,
    json_response,
    parse_json,
    required,
)


def request(body):
    return Request(method="POST", host="h", path="/", query={}, headers={}, body=body)


@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_json_is_as_deep_as_dotnet_reads_it(opening):
    closing = {"[": "]"}.get(opening, "}")

    def nested(depth):
        return opening * depth + "1" + closing * depth

    assert parse_json(nested(MAX_DEPTH)) is not None
    for depth in (MAX_DEPTH + 1, 100_000):
        with pytest.raises(ValueError, match="nested more than 64 levels deep"):
            parse_json(nested(depth))


def test_wide_json_is_not_deep():
    assert len(parse_json(json.dumps([[[]]] * 100))) == 100


def test_a_body_is_an_object_or_nothing():
    assert request(b"").json_object() == {}
    assert request(b'{"a": 1}').json_object() == {"a": 1}
    for wrong in (b"[]", b"1", b"{"):
        with pytest.raises(ServiceError) as refused:
            request(wrong).json_object()
        assert refused.value.status == 400


def test_a_field_that_the_service_insists_on():
    assert required({"a": 0}, "a") == 0
    for body in ({}, {"a": None}):
        with pytest.raises(ServiceError, match="The field 'a' is required"):
            required(body, "a")


def test_an_answer_is_json():
    answer = json_response({"a": "ü"}, 201, {"location": "/x"})
    assert (answer.status, json.loads(answer.body)) == (201, {"a": "ü"})
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert answer.headers["location"] == "/x"
