"""Options as dataclass fields: what they default to, and which words they may be."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import pytest

from amltasks.gate.options import described, options_of


@dataclasses.dataclass(frozen=True, kw_only=True)
class Example:
    name: str = described("Its name.", required=True)
    mode: str = described("How.", options=("fail", "warn"))
    maybe: str | None = described("Or not.", options=("a", "b"), default=None)
    size: int = described("How much.", default=5)
    floor: float | None = described("The least.")
    columns: Mapping[str, str] = described("Names.", default={})


def test_an_option_without_a_default_has_its_first_word() -> None:
    found = Example(name="a")
    assert (found.mode, found.maybe, found.size, found.floor) == ("fail", None, 5, None)


def test_what_is_required_has_no_default() -> None:
    with pytest.raises(TypeError, match="name"):
        Example()


def test_two_objects_share_no_mapping() -> None:
    assert Example(name="a").columns == {}
    assert Example(name="a").columns is not Example(name="b").columns


def test_the_words_of_a_choice() -> None:
    assert options_of(Example, "mode") == ("fail", "warn")
    assert options_of(Example, "size") == ()


def test_the_text_is_kept_for_the_schema_and_the_docs() -> None:
    texts = {each.name: each.metadata["text"] for each in dataclasses.fields(Example)}
    assert texts["mode"] == "How."
    required = [each.name for each in dataclasses.fields(Example) if each.metadata["required"]]
    assert required == ["name"]
