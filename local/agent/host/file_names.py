"""The names that artifacts and attachments may have."""

from __future__ import annotations

# Characters that the service refuses in the names of artifacts and attachments.
_FORBIDDEN = set('\\/:*?"<>|\0')


def is_file_name(name: str) -> bool:
    """Say whether a name that a step gives can name a file or folder here."""
    return name.strip(". ") != "" and not _FORBIDDEN & set(name)
