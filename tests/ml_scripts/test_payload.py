import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from payload import MAX_CHARACTERS, MAX_ROWS, RequestError, read_rows, sent_rows
from vocabulary import Vocabulary

VOCABULARY = Vocabulary(words=("in", "condition"))
IDS = [0] * 98 + [2, 1]
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=8,
)


@pytest.mark.parametrize("rows", [["condition in", IDS], ["condition in"] * 2, [IDS, IDS]])
@pytest.mark.parametrize("wrapped", [True, False])
def test_texts_and_ids_are_rows(rows: list[Any], wrapped: bool) -> None:
    body = json.dumps({"data": rows} if wrapped else rows)
    ids = read_rows(body, VOCABULARY)
    assert sent_rows(body) == rows
    width = ids.shape[1]
    assert ids.tolist() == [IDS[-width:], IDS[-width:]]
    assert not any(IDS[:-width])
    assert ids.dtype == np.int32


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (json.dumps(["in"] * (MAX_ROWS + 1)), "There are 10001 rows, and 10000 are the most"),
        (json.dumps(["i" * MAX_CHARACTERS]), "8000000 are the most"),
    ],
)
def test_too_much_is_told_as_such(body: str, message: str) -> None:
    with pytest.raises(RequestError, match=message) as refused:
        read_rows(body, VOCABULARY)
    assert refused.value.status == 413


def test_the_most_rows_are_read() -> None:
    assert len(read_rows(json.dumps(["in"] * MAX_ROWS), VOCABULARY)) == MAX_ROWS


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ('{"rows": []}', """The body has 'rows'; only "data" is known"""),
        ('{"data": ["in"], "more": 1}', "The body has 'more'"),
        ("{}", 'no "data"'),
        ("[]", "at least one row"),
        ('{"data": []}', "at least one row"),
        ('{"data": "in"}', "at least one row"),
        ('{"data": null}', "at least one row"),
        ("null", "at least one row"),
        ('"in"', "at least one row"),
        ('{"data": ["in", "  "]}', "Row 1 is neither"),
        ('{"data": [5]}', "Row 0 is neither"),
        (json.dumps({"data": [IDS[1:]]}), "Row 0 is neither"),
        (json.dumps({"data": [[*IDS, 0]]}), "Row 0 is neither"),
        (json.dumps({"data": [[3, *IDS[1:]]]}), "numbers from 0 to 2"),
        (json.dumps({"data": [[-1, *IDS[1:]]]}), "Row 0 is neither"),
        (json.dumps({"data": [[10**30, *IDS[1:]]]}), "Row 0 is neither"),
        (json.dumps({"data": [[1.0, *IDS[1:]]]}), "Row 0 is neither"),
        (json.dumps({"data": [[True, *IDS[1:]]]}), "Row 0 is neither"),
        (json.dumps({"data": [["in", *IDS[1:]]]}), "Row 0 is neither"),
        (json.dumps({"data": [IDS, [False, *IDS[1:]]]}), "Row 1 is neither"),
        (json.dumps({"data": [IDS, [3, *IDS[1:]]]}), "Row 1 is neither"),
        (json.dumps({"data": [IDS, [[1], *IDS[1:]]]}), "Row 1 is neither"),
        (json.dumps({"data": [IDS, None]}), "Row 1 is neither"),
    ],
)
def test_malformed_request_is_told_what_is_wrong(body: str, message: str) -> None:
    with pytest.raises(RequestError, match=message) as refused:
        read_rows(body, VOCABULARY)
    assert refused.value.status == 400


@given(anything)
def test_any_document_is_read_or_refused(document: Any) -> None:
    for body in (json.dumps(document), json.dumps({"data": document})):
        try:
            rows = read_rows(body, VOCABULARY)
        except RequestError:
            continue
        assert 1 <= rows.shape[1] <= 100
        assert ((rows >= 0) & (rows < VOCABULARY.size)).all()


@given(st.text())
def test_any_body_is_read_or_refused(body: str) -> None:
    with pytest.raises(RequestError):
        read_rows(body, VOCABULARY)


@given(
    st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=100), min_size=1, max_size=20),
    st.sampled_from([(", ", ": "), (",", ":")]),
)
def test_ids_are_read_as_json_has_them(short: list[list[int]], separators: tuple[str, str]) -> None:
    rows = [[*[0] * (100 - len(row)), *row] for row in short]
    found = read_rows(json.dumps({"data": rows}, separators=separators), VOCABULARY)
    assert np.pad(found, ((0, 0), (100 - found.shape[1], 0))).tolist() == rows


ZEROS = "0, " * 99


@pytest.mark.parametrize(
    "body",
    [
        # Each is nearly a row of 100 ids whose zeros may be counted.
        *(f"[[{ZEROS}]]", f"[[{ZEROS}0, ]]", f"[[0{ZEROS}1]]", f"[[, {ZEROS}1]]", f"[[{ZEROS}01]]"),
        *(f"[[{ZEROS[:-3]}0 0, 1]]", f"[[{ZEROS[:-6]}0, , 1]]", f"[0, [{ZEROS}1]]"),
        *(f"[[[{ZEROS}1]]]", f"[[{ZEROS}1], 1]", f"[[{ZEROS}1]", f'{{"data[0, ": [[{ZEROS}1]]}}'),
        *(f"[[{ZEROS}3]]", f"[[{ZEROS}1.0]]", f"[[{ZEROS}true]]", f"[[{ZEROS}-1]]"),
    ],
)
def test_no_padding_is_taken_for_what_it_is_not(body: str) -> None:
    with pytest.raises(RequestError):
        read_rows(body, VOCABULARY)


def test_a_text_may_look_like_padding() -> None:
    assert read_rows(json.dumps([f"[[{ZEROS}1]] in"]), VOCABULARY).tolist() == [[1]]
    assert read_rows(json.dumps([[0] * 100] * 2), VOCABULARY).any() == np.False_
