"""Where a run leaves its predictions."""

from __future__ import annotations

import re
from collections.abc import Iterable

# In the order in which they are looked for, of which the first counts.
_USUAL = (
    re.compile(r"^outputs/predictions\.parquet(?=/|$)", re.IGNORECASE),
    re.compile(r"^outputs/predictions\.(csv|tsv)(\.gz)?(?=/|$)", re.IGNORECASE),
    re.compile(r"^outputs/predictions(?=/)", re.IGNORECASE),
)


def located(files: Iterable[str], path: str) -> str:
    """The file or folder of predictions among a run's files; empty when there is none.

    ``path`` is where the user says that it is; empty looks in the usual places.
    """
    kept = sorted(files)
    wanted = path.strip("/")
    if wanted:
        return wanted if any(f == wanted or f.startswith(f"{wanted}/") for f in kept) else ""
    for usual in _USUAL:
        for name in kept:
            found = usual.match(name)
            if found:
                return found[0]
    return ""


def preference(name: str) -> int:
    """How early a usual place is looked for, from 0."""
    return next((at for at, usual in enumerate(_USUAL) if usual.match(f"{name}/")), len(_USUAL))
