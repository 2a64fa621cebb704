"""Draw the extension's and the tasks' icons: `python -m extension.icons` writes the PNG files.

The icons are our own drawings, made of discs, rings and strokes on one unit square, so that the
sources of the pictures are in the repository and no third-party art is. The gallery wants
128x128 pixels for the extension, the task catalogue 32x32 for each task, the catalogue of widgets
98x98.
"""

from __future__ import annotations

import itertools
import math
import struct
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

import click

Shape = Callable[[float, float], bool]
"""Whether the point (x, y) of the unit square, y downwards, lies in the shape."""
Colour = tuple[int, int, int]

BLUE: Colour = (0x00, 0x78, 0xD4)
NAVY: Colour = (0x10, 0x3A, 0x6B)
WHITE: Colour = (0xFF, 0xFF, 0xFF)
GREEN: Colour = (0x5F, 0xD0, 0x8A)

SAMPLES = 4
"""Samples per pixel and direction, for smooth edges."""


def disc(cx: float, cy: float, radius: float) -> Shape:
    """A filled circle."""
    return lambda x, y: math.hypot(x - cx, y - cy) <= radius


def box(left: float, top: float, right: float, bottom: float, corner: float = 0.0) -> Shape:
    """A filled rectangle with rounded corners."""

    def inside(x: float, y: float) -> bool:
        dx = max(left + corner - x, 0.0, x - (right - corner))
        dy = max(top + corner - y, 0.0, y - (bottom - corner))
        return math.hypot(dx, dy) <= corner if corner else dx == dy == 0.0

    return inside


def stroke(points: Sequence[tuple[float, float]], width: float) -> Shape:
    """A line through the points with round ends."""

    def inside(x: float, y: float) -> bool:
        for (x0, y0), (x1, y1) in itertools.pairwise(points):
            dx, dy = x1 - x0, y1 - y0
            along = ((x - x0) * dx + (y - y0) * dy) / (dx * dx + dy * dy)
            along = min(1.0, max(0.0, along))
            if math.hypot(x - x0 - along * dx, y - y0 - along * dy) <= width / 2:
                return True
        return False

    return inside


BACKGROUND: list[tuple[Shape, Colour]] = [(box(0.0, 0.0, 1.0, 1.0, 0.2), BLUE)]

NODES = [(0.26, 0.30), (0.26, 0.70), (0.54, 0.50), (0.78, 0.50)]

EXTENSION = [
    *BACKGROUND,
    (stroke([NODES[0], NODES[2], NODES[3]], 0.06), WHITE),
    (stroke([NODES[1], NODES[2]], 0.06), WHITE),
    *((disc(x, y, 0.11), WHITE) for x, y in NODES[:3]),
    (disc(*NODES[3], 0.13), GREEN),
]

PROVISION = [
    *BACKGROUND,
    *(
        shape
        for top in (0.18, 0.41, 0.64)
        for shape in (
            (box(0.16, top, 0.84, top + 0.18, 0.05), WHITE),
            (disc(0.73, top + 0.09, 0.05), GREEN),
        )
    ),
]

RUN = [
    *BACKGROUND,
    (stroke([(0.20, 0.50), (0.50, 0.50)], 0.09), WHITE),
    (disc(0.22, 0.50, 0.12), WHITE),
    (
        lambda x, y: 0.46 <= x <= 0.84 and abs(y - 0.5) <= 0.32 * (0.84 - x) / 0.38,
        GREEN,
    ),
]

GATE = [
    *BACKGROUND,
    (box(0.15, 0.16, 0.25, 0.86, 0.03), WHITE),
    (box(0.75, 0.16, 0.85, 0.86, 0.03), WHITE),
    (stroke([(0.36, 0.52), (0.47, 0.65), (0.65, 0.36)], 0.11), GREEN),
]

DEPLOY = [
    *BACKGROUND,
    (disc(0.34, 0.44, 0.18), WHITE),
    (disc(0.58, 0.38, 0.22), WHITE),
    (box(0.16, 0.40, 0.86, 0.60, 0.10), WHITE),
    (stroke([(0.50, 0.86), (0.50, 0.50)], 0.09), NAVY),
    (stroke([(0.36, 0.63), (0.50, 0.49), (0.64, 0.63)], 0.09), NAVY),
]

VERDICT = [
    *BACKGROUND,
    (disc(0.50, 0.50, 0.34), WHITE),
    (disc(0.50, 0.50, 0.25), BLUE),
    (stroke([(0.37, 0.51), (0.47, 0.62), (0.64, 0.38)], 0.10), GREEN),
]

WAIT = [
    *BACKGROUND,
    (disc(0.50, 0.50, 0.34), WHITE),
    (disc(0.50, 0.50, 0.25), BLUE),
    (stroke([(0.50, 0.34), (0.50, 0.52), (0.62, 0.60)], 0.09), GREEN),
]

WIDGET = [
    *BACKGROUND,
    (stroke([(0.18, 0.80), (0.82, 0.80)], 0.05), WHITE),
    (stroke([(0.20, 0.66), (0.42, 0.48), (0.58, 0.56), (0.78, 0.28)], 0.07), WHITE),
    *((disc(x, y, 0.08), WHITE) for x, y in ((0.20, 0.66), (0.42, 0.48), (0.58, 0.56))),
    (disc(0.78, 0.28, 0.11), GREEN),
]

ICONS: dict[str, tuple[int, list[tuple[Shape, Colour]]]] = {
    "extension/images/icon.png": (128, EXTENSION),
    "extension/images/widget.png": (98, WIDGET),
    "tasks/ProvisionAmlComputeV1/icon.png": (32, PROVISION),
    "tasks/RunAmlPipelineV1/icon.png": (32, RUN),
    "tasks/WaitForAmlRunV1/icon.png": (32, WAIT),
    "tasks/EvaluateAndGateV1/icon.png": (32, GATE),
    "tasks/DeployToAksV1/icon.png": (32, DEPLOY),
    "tasks/AmlGateVerdictV1/icon.png": (32, VERDICT),
}


def draw(size: int, layers: Sequence[tuple[Shape, Colour]]) -> bytes:
    """A square RGBA picture of `size` pixels as PNG (ISO/IEC 15948), later layers on top."""
    rows = bytearray()
    for row in range(size):
        rows.append(0)  # filter type None
        for column in range(size):
            red = green = blue = hit = 0
            for step in range(SAMPLES * SAMPLES):
                x = (column + (step % SAMPLES + 0.5) / SAMPLES) / size
                y = (row + (step // SAMPLES + 0.5) / SAMPLES) / size
                colours = [colour for shape, colour in layers if shape(x, y)]
                if colours:
                    red, green, blue = (
                        a + b for a, b in zip((red, green, blue), colours[-1], strict=True)
                    )
                    hit += 1
            full = max(hit, 1)
            rows += bytes((red // full, green // full, blue // full, 255 * hit // SAMPLES**2))

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", size, size, 8, 6, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(bytes(rows), 9))
        + chunk(b"IEND", b"")
    )


@click.command()
def main() -> None:
    """Write every icon to its place in the working tree."""
    root = Path(__file__).parent.parent
    for name, (size, layers) in ICONS.items():
        (root / name).write_bytes(draw(size, layers))
        click.echo(name)


if __name__ == "__main__":
    main()
