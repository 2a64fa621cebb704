"""A picture with its caption, and what tells the two models apart in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure

from amltasks.gate.rows import Pair, Rows, Side
from amltasks.report import drawing
from amltasks.report.drawing import BASELINE, CANDIDATE
from amltasks.report.text import plain

ALONE = "The baseline left no predictions of the same rows: the candidate stands alone."


@dataclass(frozen=True, kw_only=True)
class Plot:
    """A picture with its caption; ``svg`` is ready to stand in a page."""

    title: str
    svg: str
    caption: str


@dataclass(frozen=True, kw_only=True)
class Model:
    """One model in a picture: it is told apart by dashes and marks, not by colour alone."""

    name: str
    colour: str
    dashes: str
    mark: str
    side: Side


def models(rows: Rows, pair: Pair | None) -> Sequence[Model]:
    """The candidate, and the baseline where it said something of the same rows."""
    candidate = Model(name="candidate", colour=CANDIDATE, dashes="-", mark="o", side=rows.side)
    if pair is None:
        return [candidate]
    baseline = Model(name="baseline", colour=BASELINE, dashes="--", mark="s", side=pair.baseline)
    return [candidate, baseline]


def made(figure: Figure, title: str, caption: str) -> Plot:
    """The picture, once it is drawn."""
    name = "".join(sign for sign in title.lower() if sign.isascii() and sign.isalnum())
    svg = drawing.inline(figure, name, plain(f"{title}. {caption}"))
    return Plot(title=title, svg=svg, caption=caption)


def escaped(name: str) -> str:
    """A foreign name in a figure: a dollar must not begin a formula."""
    return plain(name).replace("$", r"\$")
