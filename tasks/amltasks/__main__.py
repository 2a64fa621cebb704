"""``python -m amltasks <Task>``: take the hand-over, perform the task, report its result."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import io
import logging
import os
import re
import sys

import click

from amltasks import errors
from amltasks.azure_pipelines import agent

log = logging.getLogger("amltasks")

_OK, _FAILED, _NO_LAUNCHER, _CANCELED = 0, 1, 2, 130


@click.command()
@click.argument("task")
def main(task: str) -> None:
    """Perform TASK, named as in its task.json. The launcher calls this; people use the task."""
    if importlib.util.find_spec(_package(task)) is None:
        raise click.BadParameter(f"there is no task {task!r}; each has a folder beside this file.")
    _end(_perform(task))


def _package(task: str) -> str:
    """The package of a task: ``RunAmlPipeline`` -> ``amltasks.run_aml_pipeline``."""
    return "amltasks." + re.sub(r"(?<!^)(?=[A-Z])", "_", task).lower()


def _perform(name: str) -> int:
    _log_to_stdout()
    try:
        job = agent.receive()
    except errors.TaskError as error:
        click.echo(str(error), err=True)
        return _NO_LAUNCHER
    log.setLevel(logging.DEBUG if job.handover.debug else logging.INFO)
    try:
        if job.handover.task != name:
            raise errors.HANDOVER_INVALID.error(detail=f"it is for the task {job.handover.task}")
        # One task's module only: each has packages in its environment that others lack.
        module = importlib.import_module(f"{_package(name)}.task")
        done: str = module.clean_up(job) if job.handover.phase == "cleanUp" else module.run(job)
        log.info("%s", errors.sentence(done))
        issues = isinstance(done, agent.WithIssues)
        job.channel.result("SucceededWithIssues" if issues else "Succeeded", errors.sentence(done))
    except errors.TaskError as error:
        return _fail(job, error)
    except KeyboardInterrupt:
        with contextlib.suppress(BrokenPipeError):  # the launcher died
            job.channel.result("Canceled", f"{name} was canceled")
        return _CANCELED
    except Exception as cause:
        log.debug("%s", cause, exc_info=True)
        detail = f"{type(cause).__name__}: {cause}"
        return _fail(job, errors.INTERNAL_ERROR.error(detail=detail))
    return _OK


def _fail(job: agent.Job, error: errors.TaskError) -> int:
    log.debug("%s", error.cause.code, exc_info=True)
    job.channel.error(error)
    job.channel.result("Failed", str(error))
    return _FAILED


def _log_to_stdout() -> None:
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # logs are foreign text
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(logging.Formatter("%(message)s"))
    log.addHandler(handler)
    log.propagate = False


def _end(code: int) -> None:
    """Leave now. The SDK's telemetry threads would otherwise talk at the interpreter's end."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    main(prog_name="python -m amltasks")
