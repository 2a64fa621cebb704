"""The icons in the tree are those that the sources draw."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import pytest

from extension.icons import BLUE, ICONS, WHITE, box, disc, draw, stroke
from extension.sources import ROOT


def pixels(png: bytes) -> tuple[int, int, bytes]:
    """Width, height and the rows, which do not depend on how well they are compressed."""
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    found, at = {}, 8
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        kind, data = png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        assert struct.unpack(">I", png[at + 8 + length : at + 12 + length])[0] == zlib.crc32(
            kind + data
        )
        found[kind] = data
        at += 12 + length
    width, height = struct.unpack(">II", found[b"IHDR"][:8])
    return width, height, zlib.decompress(found[b"IDAT"])


@pytest.mark.parametrize("name", [name for name, (size, _) in ICONS.items() if size == 32])
def test_a_tasks_icon_is_the_one_that_is_drawn(name: str) -> None:
    size, layers = ICONS[name]
    assert pixels((ROOT / name).read_bytes()) == pixels(draw(size, layers))


def test_every_task_has_its_icon() -> None:
    folders = {str(Path(name).parent) for name in ICONS if name.startswith("tasks/")}
    assert folders == {
        str(path.parent.relative_to(ROOT)) for path in (ROOT / "tasks").glob("*V*/task.json")
    }


def test_later_layers_are_on_top_and_edges_are_smooth() -> None:
    width, height, rows = pixels(draw(4, [(box(0, 0, 1, 1), BLUE), (disc(0, 0, 0.36), WHITE)]))
    assert (width, height) == (4, 4)
    at = [rows[1 + 4 * column : 5 + 4 * column] for column in range(4)]
    assert at[0] == bytes((*WHITE, 255))
    assert at[3] == bytes((*BLUE, 255))
    assert WHITE > tuple(at[1][:3]) > BLUE


def test_what_no_shape_covers_is_transparent() -> None:
    *_, rows = pixels(draw(2, [(box(0, 0, 0.5, 0.5), BLUE)]))
    assert rows == bytes((0, *BLUE, 255, 0, 0, 0, 0)) + bytes(9)


@pytest.mark.parametrize(
    ("x", "y", "inside"),
    [(0.5, 0.5, True), (0.5, 0.54, True), (0.5, 0.6, False), (0.19, 0.5, True), (0.1, 0.5, False)],
)
def test_a_stroke_has_round_ends(x: float, y: float, inside: bool) -> None:
    assert stroke([(0.2, 0.5), (0.8, 0.5)], 0.1)(x, y) is inside


def test_a_box_has_round_corners() -> None:
    square, rounded = box(0, 0, 1, 1), box(0, 0, 1, 1, 0.2)
    assert square(0.01, 0.01)
    assert not rounded(0.01, 0.01)
    assert rounded(0.5, 0.01)
    assert rounded(0.06, 0.06)
