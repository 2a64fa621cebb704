"""Starts a user's script inside a run, with the SDK's own history context around it.

It stands for Azure's context_manager_injector. It runs in the step's environment, not in ours: so
only the standard library, Python 3.7 or later, and no import from this package. Arguments: the
folders to watch joined by the path separator, the script, and the script's own arguments.
"""

import contextlib
import os
import runpy
import sys
from pathlib import Path

folders = [folder for folder in sys.argv[1].split(os.pathsep) if folder]
script = sys.argv[2]
sys.argv = sys.argv[2:]
# What `python script.py` does; this file's own folder must not be importable by the script.
sys.path[0] = str(Path(script).resolve().parent)
sys.path.insert(1, str(Path.cwd()))

try:
    from azureml.history._tracking import get_history_context_manager
except ImportError as error:
    sys.stderr.write(
        "Warning: azureml-core is not in this environment, so nothing can be logged to the run "
        "(" + str(error) + "). The script runs all the same.\n"
    )
    history = contextlib.nullcontext()
else:
    history = get_history_context_manager(DirectoriesToWatch=folders)

with history:
    runpy.run_path(script, run_name="__main__")
