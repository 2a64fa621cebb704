import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from payload import BadRequestError, read_rows
from vocabulary import Vocabulary

VOCABULARY = Vocabulary(words=("in", "condition"))
IDS = [0] * 98 + [2, 1]
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=8,
)


def test_texts_and_ids_are_rows() -> None:
    body = json.dumps({"data": ["condition in", IDS]})
    assert read_rows(body, VOCABULARY).tolist() == [IDS, IDS]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ('["in"]', 'not a JSON object with "data"'),
        ('{"rows": []}', 'not a JSON object with "data"'),
        ('{"data": []}', "at least one row"),
        ('{"data": "in"}', "not a list"),
        ('{"data": null}', "not a list"),
        ('{"data": ["in", "  "]}', "Row 1 is neither"),
        ('{"data": [5]}', "Row 0 is neither"),
        (json.dumps({"data": [IDS[1:]]}), "Row 0 is neither"),
        (json.dumps({"data": [[*IDS, 0]]}), "Row 0 is neither"),
        (json.dumps({"data": [[3, *IDS[1:]]]}), "whole numbers from 0 to 2"),
        (json.dumps({"data": [[-1, *IDS[1:]]]}), "Row 0 is neither"),
        (json.dumps({"data": [[10**30, *IDS[1:]]]}), "Row 0 is neither"),
        (json.dumps({"data": [[1.0, *IDS[1:]]]}), "Row 0 is neither"),
        (json.dumps({"data": [[True, *IDS[1:]]]}), "Row 0 is neither"),
        (json.dumps({"data": [["in", *IDS[1:]]]}), "Row 0 is neither"),
    ],
)
def test_malformed_request_is_told_what_is_wrong(body: str, message: str) -> None:
    with pytest.raises(BadRequestError, match=message):
        read_rows(body, VOCABULARY)


@given(anything)
def test_any_document_is_read_or_refused(document: Any) -> None:
    for body in (json.dumps(document), json.dumps({"data": document})):
        try:
            rows = read_rows(body, VOCABULARY)
        except BadRequestError:
            continue
        assert rows.shape[1] == 100
        assert ((rows >= 0) & (rows < VOCABULARY.size)).all()


@given(st.text())
def test_any_body_is_read_or_refused(body: str) -> None:
    with pytest.raises(BadRequestError):
        read_rows(body, VOCABULARY)
