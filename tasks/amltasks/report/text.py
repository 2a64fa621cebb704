"""Foreign text, such as names of models and slices, made fit for a file."""

from __future__ import annotations

import re

# What XML 1.0 cannot hold even escaped, HTML must not hold, and (surrogates) UTF-8 cannot encode.
_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

# What a page without pictures says instead.
NO_SLICES = "No slice was compared with the baseline."
NO_ROWS = "Only point metrics are at hand, no predictions row by row: there are no curves."


def plain(text: str) -> str:
    """The text, with U+FFFD for each character that no XML, HTML or UTF-8 can have."""
    return _FORBIDDEN.sub("\ufffd", text)


def shortened(text: str, most: int) -> str:
    """The text on one line and at most so long, an ellipsis for what is left out."""
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1] + "…"


_LINK = re.compile(r"https://[A-Za-z0-9.-]+(?::[0-9]+)?/[A-Za-z0-9._~/?=&%:@+-]*")


def is_link(text: str) -> bool:
    """Whether a text is an address that may be clicked on: https, and no character to mistrust."""
    return _LINK.fullmatch(text) is not None
