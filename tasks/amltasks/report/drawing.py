"""Matplotlib's figures as inline SVG that takes its colours and its font from the page.

So dark is dark, and the text of a figure grows with the page's.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

# Matplotlib wants colours, the page has variables: each of these stands for one.
INK, CANDIDATE, BASELINE, MUTED, BAD = "#010203", "#010204", "#010205", "#010206", "#010207"
_VARIABLES = {
    INK: "currentColor",
    CANDIDATE: "var(--candidate)",
    BASELINE: "var(--baseline)",
    MUTED: "var(--muted)",
    BAD: "var(--bad)",
}
_STYLE: Mapping[str, Any] = {
    # Text stays text: half the size of outlines, and one can search for it and copy it.
    "svg.fonttype": "none",
    "font.size": 9,
    "font.family": "DejaVu Sans",
    "text.color": INK,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
    "lines.linewidth": 1.6,
}
_SVG, _HREF = "{http://www.w3.org/2000/svg}", "{http://www.w3.org/1999/xlink}href"
_WIDTH = 3.6
COUNTS = FuncFormatter(lambda value, _: f"{value:,.0f}")
"""Ticks of a logarithmic axis as whole numbers."""


def style() -> Any:
    """The context to make and draw a figure in."""
    return mpl.rc_context({**_STYLE, "svg.hashsalt": "gate"})


def few() -> MaxNLocator:
    """So few ticks that their numbers do not touch."""
    return MaxNLocator(nbins=5, steps=[1, 2, 5, 10])


def figure(height: float = 3.1) -> tuple[Figure, Axes]:
    """A figure of one plot, as wide as a phone; ``height`` in inches."""
    made = Figure(figsize=(_WIDTH, height), layout="constrained")
    return made, made.subplots()


def inline(drawn: Figure, name: str, alternative: str) -> str:
    """The figure as an ``<svg>`` to stand in a page, the same text for the same figure.

    Args:
        drawn: the figure.
        name: unique in the page, for the ids.
        alternative: what the picture shows, in words and numbers.
    """
    kept = io.StringIO()
    nothing = {"Date": None, "Creator": None, "Format": None, "Type": None}
    drawn.savefig(kept, format="svg", transparent=True, metadata=nothing)
    # Matplotlib's own text: no entities, nothing from outside but escaped names.
    root = ElementTree.fromstring(kept.getvalue())  # noqa: S314
    for child in list(root):
        # The style would hold for the whole page.
        if child.tag in (f"{_SVG}defs", f"{_SVG}metadata") and child.find(".//*[@id]") is None:
            root.remove(child)
    for element in root.iter():
        element.attrib = {
            key.replace(_HREF, "href"): _value(key, value, name)
            for key, value in element.attrib.items()
        }
        element.tag = element.tag.removeprefix(_SVG)
    box = root.attrib["viewBox"]
    root.attrib = {"viewBox": box, "role": "img", "aria-label": alternative, "class": "plot"}
    return ElementTree.tostring(root, encoding="unicode")


def _value(key: str, value: str, name: str) -> str:
    """An attribute as the page needs it: ids of its own, its colours, its font, short numbers."""
    if key == "id":
        return f"{name}-{value}"
    if key == _HREF:
        return value.replace("#", f"#{name}-")
    if key == "d":
        return re.sub(r"\d+\.\d{2,}", lambda found: f"{float(found[0]):.1f}", value)
    if key == "style":
        value = re.sub(r"font: ([\d.]+px) [^;]*", r"font-size: \1", value)
    value = value.replace("url(#", f"url(#{name}-")
    for colour, variable in _VARIABLES.items():
        value = value.replace(colour, variable)
    return value
