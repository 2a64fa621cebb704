"""What people read: one line for each thing, its state first."""

from __future__ import annotations

import click

UNCHANGED, OK, MISSING, UNKNOWN = "unchanged", "ok", "MISSING", "unknown"
_WIDTH = 15


def say(state: str, what: str) -> None:
    """A thing and its state."""
    click.echo(f"{state:<{_WIDTH}}{what}")


def more(text: str) -> None:
    """What belongs to the line above; several lines stay several."""
    for line in text.splitlines():
        click.echo(" " * _WIDTH + line)


def plain(text: str = "") -> None:
    """A line to copy, from its first column."""
    click.echo(text)
