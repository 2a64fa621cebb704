"""scipy.special, loaded when one of its functions is called for the first time.

A gate that has nothing to compute ends before that; the import takes as long as all else it does.
"""

from __future__ import annotations

from typing import Any


def __getattr__(name: str) -> Any:
    from scipy import special

    return getattr(special, name)
