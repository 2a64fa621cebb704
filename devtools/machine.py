"""Machines on which the development environment cannot be made."""

from __future__ import annotations

import platform
import sys

NO_TENSORFLOW = (
    "this Python is for Macs with Intel processors, and TensorFlow, which the sample trains with, "
    "has had no package for them since 2.16"
)
ELSEWHERE = (
    "use Linux, Windows, or a Python for Apple silicon; or install the local Azure and the local "
    "agent alone, which need no TensorFlow: local/README.md. The tasks themselves run on such Macs"
)


def unsupported(system: str = "", processor: str = "") -> str:
    """Return why the development environment cannot be made here, '' where it can.

    Args:
        system: as ``sys.platform``, and that where it is empty.
        processor: as ``platform.machine()``, which Rosetta 2 makes ``x86_64``, as the packages do.
    """
    intel = (processor or platform.machine()) == "x86_64"
    return NO_TENSORFLOW if (system or sys.platform) == "darwin" and intel else ""
