"""Which files of `amltasks` a task ships: those that it can import, and no others.

The graph of imports is grimp's, which reads the sources and runs none of them.
"""

from __future__ import annotations

import functools
import re
import sys
from pathlib import Path

import grimp

from extension.sources import ROOT

SOURCES = ROOT / "tasks"
_PACKAGE = "amltasks"
# `__main__` and the connection make the names of the task and the adapter at run time.
_ADAPTERS = (f"{_PACKAGE}.workspace.sdk_v1", f"{_PACKAGE}.workspace.sdk_v2")


@functools.cache
def _imports() -> grimp.ImportGraph:
    sys.path.insert(0, str(SOURCES))
    try:
        return grimp.build_graph(_PACKAGE, cache_dir=None)
    finally:
        sys.path.remove(str(SOURCES))


def package_of(task: str) -> str:
    """The package of the task of that name: `RunAmlPipeline` -> `run_aml_pipeline`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", task).lower()


def modules(task: str) -> set[str]:
    """The dotted names of the modules that a task can import, their packages included."""
    graph = _imports()
    begun = {f"{_PACKAGE}.__main__"}
    for package in (f"{_PACKAGE}.{package_of(task)}", *_ADAPTERS):
        begun |= {package, *graph.find_descendants(package)}
    found = set(begun)
    for module in begun:
        found |= graph.find_upstream_modules(module)
    for module in tuple(found):
        parts = module.split(".")
        found |= {".".join(parts[:end]) for end in range(1, len(parts))}
    return found


def files(task: str) -> list[Path]:
    """The files of those modules, and the templates that one of them names, sorted."""
    found: set[Path] = set()
    for module in modules(task):
        place = SOURCES.joinpath(*module.split("."))
        if place.is_dir():
            found.add(place / "__init__.py")
        else:
            found.add(place.with_suffix(".py"))
    templates = {
        template
        for path in found
        for template in path.parent.glob("*.jinja")
        if template.name in path.read_text(encoding="utf-8")
    }
    return sorted(found | templates)
