"""Slices of two columns or more, crossed: each combination of their values is one."""

from __future__ import annotations

import re

CROSS = " \N{MULTIPLICATION SIGN} "
"""Between the columns, and between the values, of slices that are crossed."""

_CROSS = re.compile(r"\s*\N{MULTIPLICATION SIGN}\s*|\s+\*\s+")


def crossed(name: str) -> str:
    """A slice as it is known, with `CROSS` where rules have ``*`` between spaces."""
    return _CROSS.sub(CROSS, name.strip())
