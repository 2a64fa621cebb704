"""A user's pipeline file: calls its Python hook, types its parameters, reports its errors."""

from __future__ import annotations

import contextlib
import importlib.util
import inspect
import logging
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from amltasks import core_yaml, errors
from amltasks.workspace.failures import http_status, message
from amltasks.workspace.port import Scalar

log = logging.getLogger("amltasks")

HOOK = "build_pipeline"
_NAMING = ("component", "environment", "conda_file", "runconfig")
_SDK_PACKAGES = ("azureml", "msrest", "azure")


def _document(path: Path) -> Any:
    text = path.read_text(encoding="utf-8")
    return yaml.load(text, Loader=core_yaml.SafeLoader)  # noqa: S506 - a safe loader


def _files_named(document: object, folder: Path) -> Iterator[Path]:
    """The files that the SDKs read for a document: those that it names under `_NAMING`."""
    waiting = [document]
    while waiting:
        found = waiting.pop()
        if isinstance(found, list):
            waiting += found
        if not isinstance(found, dict):
            continue
        waiting += found.values()
        for key in _NAMING:
            named = found.get(key)
            if isinstance(named, str) and named:
                # What is no path at all, such as a text of many lines, is none that is there.
                with contextlib.suppress(OSError, ValueError):
                    path = (folder / named.removeprefix("file:")).resolve()
                    if path.is_file():
                        yield path


@dataclass(frozen=True, kw_only=True)
class PipelineFile:
    """The file. ``wanted`` tells the user what to give if this SDK cannot run it."""

    path: Path
    wanted: str

    def invalid(self, detail: str) -> errors.TaskError:
        """The error for a file that is not a pipeline."""
        return errors.PIPELINE_FILE_INVALID.error(
            path=self.path.name, detail=detail, wanted=self.wanted
        )

    def checked(self) -> Any:
        """The document of a YAML file, read before the SDK reads it, and the files that it names.

        The SDKs' own loaders take hours for a few hundred bytes of aliases, or end in a recursion.

        Raises:
            TaskError: ``PIPELINE_FILE_INVALID``
        """
        try:
            found = _document(self.path)
        except (yaml.YAMLError, ValueError) as cause:
            raise self.invalid(f"it is no YAML: {message(cause)}") from cause
        self._check_named(found, self.path.parent, {self.path.resolve()})
        return found

    def _check_named(self, document: object, folder: Path, seen: set[Path]) -> None:
        """Check the files that a document names. What else is wrong with them, the SDK says."""
        for path in _files_named(document, folder):
            if path in seen:
                continue
            seen.add(path)
            try:
                self._check_named(_document(path), path.parent, seen)
            except core_yaml.YamlError as cause:
                raise self.invalid(f"it names '{path.name}', and {cause}") from cause
            except (yaml.YAMLError, UnicodeDecodeError):
                log.debug("%s is no YAML", path, exc_info=True)

    def raised(self, cause: BaseException) -> errors.TaskError:
        """The error for what the user's code raised, with the line of their file."""
        if from_azure(cause):
            raise cause
        log.debug("Running %s", self.path, exc_info=cause)
        line = cause.lineno if isinstance(cause, SyntaxError) else None
        trace = cause.__traceback__
        while trace is not None:
            if Path(trace.tb_frame.f_code.co_filename) == self.path:
                line = trace.tb_lineno
            trace = trace.tb_next
        where = f" at line {line}" if line else ""
        detail = f"it raised {type(cause).__name__}{where}: {message(cause)}"
        name = cause.name or "" if isinstance(cause, ModuleNotFoundError) else ""
        if name.partition(".")[0] in _SDK_PACKAGES:
            return self.invalid(detail)  # the file is written for the other SDK
        return errors.PIPELINE_FILE_INVALID.error(
            path=self.path.name,
            detail=detail,
            wanted="correct the file there, or make what it looks for",
        )

    def unknown(self, name: str, known: Mapping[str, object] | tuple[str, ...]) -> errors.TaskError:
        """The error for a parameter that the pipeline does not have."""
        return errors.PARAMETER_UNKNOWN.error(
            path=self.path.name, name=name, known=", ".join(known) or "none"
        )

    def typed(self, name: str, given: Scalar, default: object) -> object:
        """The value in the type of the parameter's default, as the SDKs require.

        Raises:
            TaskError: ``PARAMETER_INVALID``
        """
        value, number = given.value, not isinstance(given.value, (bool, str))
        if isinstance(default, bool):
            fits, expected = isinstance(value, bool), "true or false"
        elif isinstance(default, int):
            fits, expected = number and not isinstance(value, float), "a whole number"
        elif isinstance(default, float):
            fits, expected = number, "a number"
            value = float(value) if number else value
        else:
            return given.written  # a text, or what the SDK reads from a text
        if not fits:
            raise errors.PARAMETER_INVALID.error(
                path=self.path.name, name=name, value=given.written, expected=expected
            )
        return value


def build(
    file: PipelineFile, workspace: Any, parameters: Mapping[str, Scalar], *, kind: type
) -> tuple[Any, dict[str, Scalar], tuple[str, ...]]:
    """Call ``build_pipeline(workspace, **parameters)`` of a Python file.

    Args:
        file: the file.
        workspace: the SDK's object, the hook's first argument.
        parameters: what the user gave; those in the hook's signature go to the hook as values.
        kind: what the hook must return.

    Returns:
        The pipeline, the parameters that the hook took, and all names that it knows.

    Raises:
        TaskError: ``PIPELINE_FILE_INVALID``, ``PARAMETER_MISSING``
    """
    hook = _hook(file)
    taken, known = _for_hook(file, hook, parameters)
    try:
        pipeline = hook(workspace, **{name: given.value for name, given in taken.items()})
    except (Exception, SystemExit) as cause:
        raise file.raised(cause) from cause
    if not isinstance(pipeline, kind):
        raise file.invalid(f"{HOOK} returned {type(pipeline).__name__}, not a {kind.__name__}")
    return pipeline, taken, known


def _hook(file: PipelineFile) -> Callable[..., Any]:
    path = file.path
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise file.invalid("Python cannot load it")
    module = importlib.util.module_from_spec(spec)
    # It may import its neighbours. Last, because what the SDKs import later must not find a
    # neighbour that has the name of a module of Python's or theirs.
    sys.path.append(str(path.parent))
    sys.modules[path.stem] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as cause:
        raise file.raised(cause) from cause
    hook = getattr(module, HOOK, None)
    if not callable(hook):
        raise file.invalid(f"it defines no function {HOOK}(workspace, **parameters)")
    return hook  # type: ignore[no-any-return]


def _for_hook(
    file: PipelineFile, hook: Callable[..., Any], parameters: Mapping[str, Scalar]
) -> tuple[dict[str, Scalar], tuple[str, ...]]:
    """The parameters that the hook takes, and the names that it knows."""
    try:
        signature = list(inspect.signature(hook).parameters.values())
    except (TypeError, ValueError) as cause:
        raise file.invalid(f"{HOOK} has no readable signature") from cause
    kinds = inspect.Parameter
    if not signature or signature[0].kind not in (
        kinds.POSITIONAL_ONLY,
        kinds.POSITIONAL_OR_KEYWORD,
    ):
        raise file.invalid(f"{HOOK} must take the workspace as its first parameter")
    named = {
        p.name: p
        for p in signature[1:]
        if p.kind in (kinds.POSITIONAL_OR_KEYWORD, kinds.KEYWORD_ONLY)
    }
    for name, parameter in named.items():
        if parameter.default is kinds.empty and name not in parameters:
            raise errors.PARAMETER_MISSING.error(path=file.path.name, name=name)
    if any(p.kind is kinds.VAR_KEYWORD for p in signature):
        taken = {name: v for name, v in parameters.items() if name != signature[0].name}
    else:
        taken = {name: v for name, v in parameters.items() if name in named}
    return taken, tuple(named)


def from_azure(cause: BaseException) -> bool:
    """Whether the error is an answer of Azure's and not the file's: the caller names those."""
    family = type(cause).__module__.partition(".")[0]
    return family in _SDK_PACKAGES and http_status(cause) is not None
