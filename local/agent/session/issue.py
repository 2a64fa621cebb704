"""An error or a warning of a step."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Issue:
    """An error or a warning; ``code`` is the one given to ``task.logissue``."""

    type: str
    message: str
    code: str = ""
