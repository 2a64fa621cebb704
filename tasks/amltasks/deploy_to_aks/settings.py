"""A service's settings: from Azure ML's own files and from the input, checked before any call.

A file may be a v2 endpoint or deployment, or a v1 ``deploymentconfig`` or ``inferenceconfig``, in
YAML or JSON; :mod:`setting_names` has their members. What comes later overrides what came before,
member by member, and the task's inputs override all.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from amltasks import errors
from amltasks.azure_pipelines import inputs
from amltasks.core_yaml import Located, YamlError, located_yaml
from amltasks.deploy_to_aks.setting_names import KNOWN, MAPPINGS, PATHS, REFUSED, Value

log = logging.getLogger("amltasks")

# What a file says of an environment that it does not only name.
_OF_ENVIRONMENT = frozenset(
    {"environment_name", "environment_version", "image", "environment_file"}
)
_OF_ENDPOINTS = frozenset({"auth_mode", "compute", "public_network_access", "identity", "traffic"})


@dataclass(frozen=True, kw_only=True)
class Told:
    """A value, the member that said it, and the file or input where."""

    value: Value
    member: str
    where: str


@dataclass(kw_only=True)
class Found:
    """What files and input say: setting -> value, and the mappings of names that users choose."""

    told: dict[str, Told] = field(default_factory=dict)
    mappings: dict[str, dict[str, str]] = field(
        default_factory=lambda: {name: {} for name in MAPPINGS}
    )

    def text(self, name: str) -> str:
        """A setting that is a text, empty if nothing says it."""
        return str(self.told[name].value) if name in self.told else ""

    def flag(self, name: str) -> bool | None:
        """A setting that is true or false, None if nothing says it."""
        return bool(self.told[name].value) if name in self.told else None

    def whole(self, name: str) -> int | None:
        """A setting that is a whole number, None if nothing says it."""
        found = self.number(name)
        return None if found is None else int(found)

    def number(self, name: str) -> float | None:
        """A setting that is a number, None if nothing says it."""
        value = self.told[name].value if name in self.told else None
        return value if isinstance(value, (int, float)) else None

    def texts(self, name: str) -> tuple[str, ...]:
        """A setting that is a list of texts."""
        value = self.told[name].value if name in self.told else ()
        return value if isinstance(value, tuple) else ()

    def group(self, prefix: str) -> dict[str, int]:
        """The whole numbers below a name: ``liveness`` -> ``{"period": 10}``."""
        below = (name for name in self.told if name.startswith(f"{prefix}."))
        return {
            name.partition(".")[2]: value
            for name in below
            if (value := self.whole(name)) is not None
        }

    def invalid(self, name: str, detail: str) -> errors.TaskError:
        """The error for a setting that says what it may not."""
        told = self.told[name]
        return errors.SETTING_INVALID.error(where=told.where, member=told.member, detail=detail)


def read(files: tuple[str, ...], written: str, folder: Path, service: str) -> Found:
    """Read the files, then what is written in the input.

    Args:
        files: as the input ``deploymentFiles`` names them.
        written: the input ``settings``.
        folder: relative names begin here.
        service: the name that an endpoint in a file must have.

    Raises:
        TaskError: ``FILE_NOT_FOUND``, ``SETTING_INVALID`` or ``SETTING_UNSUPPORTED``
    """
    found = Found()
    for name in files:
        path = inputs.existing_file("deploymentFiles", name, folder)
        try:
            text = path.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError:
            raise errors.SETTING_INVALID.error(
                where=path.name, member="it", detail="no UTF-8 text"
            ) from None
        _take(found, text, path.name, path.parent, service)
    if written.strip():
        _take(found, written, "the input 'settings'", folder, service)
    return found


def _take(found: Found, text: str, where: str, folder: Path, service: str) -> None:
    try:
        document, lines = located_yaml(text)
    except YamlError as cause:
        raise errors.SETTING_INVALID.error(where=where, member="it", detail=str(cause)) from None
    if not isinstance(document, dict):
        raise errors.SETTING_INVALID.error(
            where=where, member="it", detail="no mapping of names to values"
        )
    _check_name(document, where, service)
    told: dict[str, Told] = {}
    for path, value in _members(document):
        member = ".".join(path)
        if path[0] in MAPPINGS:
            found.mappings[path[0]].update(_own_names(path, value, where))
            continue
        setting = KNOWN.get(member)
        if setting is None:
            raise _unknown(path, where, lines)
        try:
            read_value = setting.read(value)
        except ValueError as cause:
            line = f" (line {lines[path]})" if path in lines else ""
            raise errors.SETTING_INVALID.error(
                where=where, member=f"{member}{line}", detail=f"not {cause}"
            ) from None
        told[setting.name] = Told(value=read_value, member=member, where=where)
    _forget_environment(found, told)
    found.told.update(_anchored(told, folder))


def _forget_environment(found: Found, told: Mapping[str, Told]) -> None:
    """Let an environment by name override an earlier one by its members, and the reverse."""
    if "environment" in told:
        for name in _OF_ENVIRONMENT:
            found.told.pop(name, None)
    elif _OF_ENVIRONMENT & told.keys():
        found.told.pop("environment", None)


def _check_name(document: dict[str, Any], where: str, service: str) -> None:
    """See that the file is of this service; a deployment's own name is not used, and told so."""
    name = document.pop("name", None)
    document.pop("$schema", None)
    of_endpoint = "endpoint_name" not in document and _OF_ENDPOINTS & document.keys()
    named = name if of_endpoint else document.pop("endpoint_name", None)
    if named is not None and named != service:
        member = "name" if of_endpoint else "endpoint_name"
        detail = f"not the task's serviceName, '{service}'"
        raise errors.SETTING_INVALID.error(where=where, member=member, detail=detail)
    if name is not None and not of_endpoint:
        log.info("%s names a deployment: the task names each revision after its build", where)


def _members(node: Any, at: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Path and value of each member that says something: a dump of an SDK is full of nulls."""
    for name, value in node.items():
        path = (*at, str(name))
        if value is None:
            continue
        if isinstance(value, dict) and not (len(path) == 1 and path[0] in MAPPINGS):
            yield from _members(value, path)
        else:
            yield path, value


def _own_names(path: tuple[str, ...], value: Any, where: str) -> dict[str, str]:
    simple = isinstance(value, dict) and not any(
        isinstance(one, (dict, list)) for one in value.values()
    )
    if not simple:
        raise errors.SETTING_INVALID.error(
            where=where, member=path[0], detail="not a mapping of names to one value each"
        )
    return {str(name): _written(one) for name, one in value.items() if one is not None}


def _written(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _unknown(path: tuple[str, ...], where: str, lines: Located) -> errors.TaskError:
    """The error for a member that the task does not take."""
    for length in range(1, len(path) + 1):
        why = REFUSED.get(".".join(path[:length]))
        if why:
            member = ".".join(path[:length])
            return errors.SETTING_UNSUPPORTED.error(where=where, member=member, why=why)
    line = f" (line {lines[path]})" if path in lines else ""
    return errors.SETTING_INVALID.error(
        where=where, member=".".join(path) + line, detail="no setting that this task knows"
    )


def _anchored(told: dict[str, Told], folder: Path) -> dict[str, Told]:
    """Files as absolute paths: a script and v1's conda file lie in the source folder."""
    source = folder / str(told["source_directory"].value) if "source_directory" in told else folder
    anchored = dict(told)
    for name in PATHS & told.keys():
        within_source = name == "entry_script" or told[name].member == "condaFile"
        path = (source if within_source else folder) / str(told[name].value)
        if name == "source_directory":
            path = source
        anchored[name] = Told(value=str(path), member=told[name].member, where=told[name].where)
    return anchored


def merged(*given: Mapping[str, str]) -> dict[str, str]:
    """Mappings in one, the later ones first in rank."""
    return {name: value for each in given for name, value in each.items()}
