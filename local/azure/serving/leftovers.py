"""The files of revisions that no longer answer: what removes them."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable

from local.azure.kernel.cloud import Cloud
from local.azure.serving.deployments import Revision


def discard_before(cloud: Cloud, revision: Revision) -> None:
    """Remove the files of the revisions of a service that are older than this one."""
    for folder in revision.folder(cloud).parent.iterdir():
        if folder.name < revision.id:
            shutil.rmtree(folder, ignore_errors=True)


def discard_all(cloud: Cloud, service: str) -> Callable[[], None]:
    """What removes the files that a service has now; those of a later one of its name stay."""
    root = cloud.root / "services" / service
    folders = list(root.iterdir()) if root.is_dir() else []

    def discard() -> None:
        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)
        with contextlib.suppress(OSError):  # a later service is there
            root.rmdir()

    return discard
