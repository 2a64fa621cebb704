"""The metrics of a run: which of the logged things are numbers, and whose they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

TAG_PREFIX = "metric."


def numbers(logged: Mapping[str, object]) -> dict[str, float]:
    """The logged values that are one number each.

    A metric logged several times (once an epoch, say) arrives as a list: the last value counts.
    Tables, images and texts are left out. Values may be NaN or infinite; the gate refuses those.
    """
    found: dict[str, float] = {}
    for name, value in logged.items():
        last = value[-1] if isinstance(value, (list, tuple)) and value else value
        if isinstance(last, (int, float)) and not isinstance(last, bool):
            found[name] = float(last)
        elif isinstance(last, str) and last.strip().lower() in _NOT_FINITE:
            found[name] = float(last)  # JSON has no NaN, so run history sends these as texts
    return found


_NOT_FINITE = {"nan", "inf", "-inf", "infinity", "-infinity"}


def merged(
    root: Mapping[str, float], steps: Iterable[tuple[str, Mapping[str, float]]]
) -> dict[str, float]:
    """One set of metrics for a pipeline run and its steps.

    What the run itself has wins. A name that only one step has is taken as it is; a name that
    several steps have becomes ``<step>.<name>`` for each of them.

    Args:
        root: the run's own metrics.
        steps: (step name, its metrics), in order; of two steps of one name the later one counts.
    """
    by_step = dict(steps)
    holders = Counter(name for found in by_step.values() for name in found)
    result = dict(root)
    for step, found in by_step.items():
        for name, value in found.items():
            if name in root:
                continue
            result[name if holders[name] == 1 else f"{step}.{name}"] = value
    return result


def from_tags(tags: Mapping[str, str]) -> dict[str, float]:
    """The metrics kept as a model's tags ``metric.<name>``; what is no number is left out."""
    found: dict[str, float] = {}
    for tag, value in tags.items():
        if tag.startswith(TAG_PREFIX) and len(tag) > len(TAG_PREFIX):
            try:
                found[tag[len(TAG_PREFIX) :]] = float(value)
            except ValueError:
                continue
    return found


def as_tags(found: Mapping[str, float]) -> dict[str, str]:
    """The tags that :func:`from_tags` reads back to the same numbers."""
    return {TAG_PREFIX + name: repr(float(value)) for name, value in found.items()}
