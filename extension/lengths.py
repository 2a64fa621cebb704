"""Whether each file of the tasks has a path that Windows takes, below a usual agent folder.

The agent unpacks a task to `_tasks/<name>_<id>/<version>` of its work folder (TaskManager.cs,
GetDirectory, in microsoft/azure-pipelines-agent); Python writes its bytecode beside the sources.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

WORK_FOLDER = r"C:\azure-pipelines-agent\_work"
MAX_PATH = 260
"""With the zero at its end, as Windows' MAX_PATH."""
_VERSION = "999.999.999"
_BYTECODE = len(r"\__pycache__") + len(".cpython-312.pyc") - len(".py")


def problems(tasks: Path) -> Iterator[str]:
    """A sentence for each file whose path is too long.

    tasks: the folder with the tasks as they are packed.
    """
    for about in sorted(tasks.glob("*/task.json")):
        task = json.loads(about.read_text(encoding="utf-8"))
        place = rf"{WORK_FOLDER}\_tasks\{task['name']}_{task['id']}\{_VERSION}"
        for path in sorted(about.parent.rglob("*")):
            name = str(path.relative_to(about.parent))
            length = len(place) + 1 + len(name) + (_BYTECODE if path.suffix == ".py" else 0)
            if length >= MAX_PATH:
                yield (
                    f"{about.parent.name}/{path.relative_to(about.parent).as_posix()} has "
                    f"{length} characters below {place}, and Windows takes {MAX_PATH - 1}"
                )
