"""Settings of a job's YAML that the task's input overrides, as ``az ml job create --set`` does.

azure-ai-ml sets what it is told (``params_override`` of ``load_job``) and silently drops much of
what it does not know. So each path is checked before and after the SDK has read the file.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import Any

from amltasks import core_yaml, errors

# Below these, the names are the user's own.
_NAMED = frozenset({"jobs", "inputs", "outputs", "search_space"})


def check(document: Any, overrides: Mapping[str, object]) -> None:
    """See that a path goes through steps, inputs and outputs that the file has.

    A new name would be a step or an input of its own, which nobody meant.

    Raises:
        TaskError: ``INPUT_INVALID``
    """
    for path in overrides:
        place, named = document, False
        for key in path.split("."):
            inner = place if isinstance(place, dict) else {}
            if not key or (named and key not in inner):
                raise unknown(path, overrides[path], document)
            named = key in _NAMED and not named
            place = inner.get(key)


def check_taken(document: Any, job: Any, overrides: Mapping[str, object]) -> None:
    """See that the job that the SDK read has each setting.

    Args:
        document: the file, as it was written.
        job: the ``Job`` that the SDK read.
        overrides: values by path.

    Raises:
        TaskError: ``INPUT_INVALID``
    """
    known = {*_paths(document), *_paths(job._to_dict())}
    for path, value in overrides.items():
        if path not in known and not _has(job, path):
            raise unknown(path, value, document)


def _has(job: Any, path: str) -> bool:
    """Whether a job has a setting that the SDK does not write, such as a command's display name."""
    root, *keys = path.split(".")
    # Not getattr alone: jobs of the SDK make up attributes that they do not have.
    place = getattr(job, root) if root in vars(job) or hasattr(type(job), root) else None
    for key in keys:
        place = place.get(key) if type(place) is dict else None
    return place is not None


def _paths(place: Any, at: str = "") -> Iterator[str]:
    if isinstance(place, dict):
        for key, value in place.items():
            path = f"{at}.{key}" if at else str(key)
            yield path
            yield from _paths(value, path)


def unknown(path: str, value: object, document: Any) -> errors.TaskError:
    """The error for a path, or a value there, that azure-ai-ml does not know."""
    near = difflib.get_close_matches(path, list(_paths(document)), n=1, cutoff=0.0)
    return errors.INPUT_INVALID.error(
        name="overrides",
        value=core_yaml.echo(f"{path}={value}"),
        expected=f"a setting that this job can have; the nearest in the file is '{''.join(near)}'",
    )
