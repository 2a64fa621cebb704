"""Pipeline variables: storing, recursive expansion, ``$(name)`` in texts, environment names.

The agent: src/Agent.Worker/Variables.cs, src/Microsoft.VisualStudio.Services.Agent/Util/VarUtil.cs
and the read-only list in src/Microsoft.VisualStudio.Services.Agent/Constants.cs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from local.agent.host.masking import SecretMasker

MAX_DEPTH = 50

_SYSTEM_NAMES = """
    agent.acceptteeeula agent.builddirectory agent.cloudid agent.containerid agent.containermapping
    agent.containernetwork agent.diagnostic FIX_POSSIBLE_GIT_OUT_OF_MEMORY_PROBLEM
    agent.gituseschannel agent.homedirectory agent.id agent.isselfhosted agent.jobname
    agent.jobstatus agent.machinename agent.name agent.os agent.osarchitecture agent.osversion
    agent.usebasicauthforproxy agent.proxybypasslist agent.proxypassword agent.proxyurl
    agent.proxyusername agent.readOnlyVariables agent.retainDefaultEncoding agent.RootDirectory
    agent.runMode agent.ServerOMDirectory agent.services agent.cainfo agent.clientcert
    agent.clientcertarchive agent.clientcertkey agent.clientcertpassword agent.skipcertvalidation
    agent.TempDirectory agent.ToolsDirectory USE_GIT_LONG_PATHS USE_GIT_SINGLE_THREAD agent.version
    agent.workfolder agent.WorkingDirectory build.artifactstagingdirectory build.binariesdirectory
    build.clean build.definitionname build.gated.runci build.gated.shelvesetname build.buildNumber
    pipeline.repository.name build.repository.clean build.repository.git.submodulecheckout
    build.repository.id build.repository.localpath build.Repository.name build.repository.provider
    build.repository.tfvc.workspace build.repository.uri build.sourcebranch
    build.sourcetfvcshelveset build.sourceversion build.sourceversionauthor
    build.sourceVersionMessage build.sourcesdirectory build.stagingdirectory build.syncSources
    build.useserverworkspaces common.testresultsdirectory agent.clean.buildDirectory
    agent.source.git.lfs agent.source.git.shallowFetchDepth agent.source.skip pipeline.workspace
    agent.releaseDirectory system.artifactsDirectory release.attemptNumber release.disableRobocopy
    release.definitionId release.definitionName release.releaseDescription
    release.artifact.download.buffersize release.environmentName release.environmentUri
    release.releaseId release.releaseName release.artifact.download.parallellimit
    release.requestedForId release.releaseUri release.releaseWebUrl release.requestedFor
    release.robocopyMT release.skipartifactsDownload system.accessToken system.collectionid
    system.culture system.debug system.defaultworkingdirectory system.definitionid
    system.definitionName system.enableAccessToken system.hosttype system.isazurevm
    system.isdockercontainer system.jobAttempt system.jobDisplayName system.jobId system.jobName
    system.phaseAttempt system.phaseDisplayName system.phaseName system.planId
    system.prefergitfrompath system.pullrequest.targetbranch system.selfmanagegitcreds
    system.servertype system.sourceVersionMessage system.stageAttempt system.stageDisplayName
    system.stageName system.TeamFoundationServerUri system.teamproject system.teamProjectId
    system.workfolder task.displayname task.skipTranslatorForCheckout task.publishTelemetry
"""
READ_ONLY = frozenset(_SYSTEM_NAMES.lower().split())


@dataclass(frozen=True, kw_only=True)
class Variable:
    """One variable; ``preserve_case`` keeps its case in the environment."""

    name: str
    value: str
    secret: bool = False
    read_only: bool = False
    preserve_case: bool = False


def environment_name(name: str, *, preserve_case: bool = False) -> str:
    """Return the environment's name for a variable: ``test.value 1`` becomes ``TEST_VALUE_1``."""
    formatted = name.replace(".", "_").replace(" ", "_")
    return formatted if preserve_case else formatted.upper()


def expand(text: str, source: Mapping[str, str]) -> str:
    """Replace each ``$(name)`` found in ``source`` once; the rest stays as it is."""
    start = 0
    while (prefix := text.find("$(", start)) >= 0:
        suffix = text.find(")", prefix + 2)
        if suffix < 0:
            break
        value = source.get(text[prefix + 2 : suffix])
        if value is None:
            start = prefix + 1
        else:
            text = text[:prefix] + value + text[suffix + 1 :]
            start = prefix + len(value)
    return text


class CaseInsensitive(Mapping[str, str]):
    """A read-only view of texts by name, ignoring the names' case."""

    def __init__(self, values: Mapping[str, str]) -> None:
        """Index ``values``; of names that differ in case only the last one counts."""
        self._values = {name.upper(): value for name, value in values.items()}
        self._names = list(values)

    def __getitem__(self, name: str) -> str:
        """Return the value, raising KeyError on a miss."""
        return self._values[name.upper()]

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names as they were given."""
        return iter(self._names)

    def __len__(self) -> int:
        """Count the names."""
        return len(self._names)


class Variables:
    """A job's variables; secrets are handed to the masker as they arrive."""

    def __init__(self, masker: SecretMasker) -> None:
        """Start without variables; secrets will go to ``masker``."""
        self._masker = masker
        self._stored: dict[str, Variable] = {}
        self._expanded: dict[str, Variable] = {}

    def set(
        self,
        name: str,
        value: str | None,
        *,
        secret: bool = False,
        read_only: bool = False,
        preserve_case: bool = False,
    ) -> None:
        """Store a variable; what was secret or read-only stays so."""
        before = self._expanded.get(name.upper())
        text = value or ""
        secret = secret or (before is not None and before.secret)
        if secret:
            self._masker.add(text)
        variable = Variable(
            name=name,
            value=text,
            secret=secret,
            read_only=read_only or (before is not None and before.read_only),
            preserve_case=preserve_case,
        )
        self._stored[name.upper()] = variable
        self._expanded[name.upper()] = variable

    def unset(self, name: str) -> None:
        """Forget a variable."""
        self._stored.pop(name.upper(), None)
        self._expanded.pop(name.upper(), None)

    def get(self, name: str) -> str | None:
        """Return the expanded value, None when there is no such variable."""
        variable = self._expanded.get(name.upper())
        return None if variable is None else variable.value

    def is_read_only(self, name: str) -> bool:
        """Say whether the variable exists and ``task.setvariable`` should not touch it."""
        variable = self._expanded.get(name.upper())
        return variable is not None and (variable.read_only or name.lower() in READ_ONLY)

    @property
    def public(self) -> list[Variable]:
        """The variables that are no secrets, expanded."""
        return [variable for variable in self._expanded.values() if not variable.secret]

    @property
    def private(self) -> list[Variable]:
        """The secret variables, expanded."""
        return [variable for variable in self._expanded.values() if variable.secret]

    def texts(self) -> CaseInsensitive:
        """Return all values by name, secrets included."""
        return CaseInsensitive({v.name: v.value for v in self._expanded.values()})

    def expand(self, text: str) -> str:
        """Replace each known ``$(name)`` in ``text``, not recursively."""
        return expand(text, self.texts())

    def recalculate(self) -> list[str]:
        """Expand every stored variable recursively and return the warnings."""
        warnings: list[str] = []
        expanded: dict[str, Variable] = {}
        for key, variable in self._stored.items():
            try:
                value, secret = self._resolve(variable, (key,))
            except _CannotExpand as error:
                warnings.append(str(error).format(variable.name))
                expanded[key] = variable
                continue
            if secret and value != variable.value:
                self._masker.add(value)
            expanded[key] = replace(variable, value=value, secret=secret or variable.secret)
        self._expanded = expanded
        return warnings

    def _resolve(self, variable: Variable, path: tuple[str, ...]) -> tuple[str, bool]:
        text, secret, start = variable.value, variable.secret, 0
        while (prefix := text.find("$(", start)) >= 0:
            suffix = text.find(")", prefix + 2)
            if suffix < 0:
                break
            key = text[prefix + 2 : suffix].upper()
            nested = self._stored.get(key)
            if nested is None:
                start = prefix + 1
                continue
            if len(path) == MAX_DEPTH:
                raise _CannotExpand(
                    "Unable to expand variable '{}'. "
                    f"The max expansion depth ({MAX_DEPTH}) was exceeded."
                )
            if key in path:
                raise _CannotExpand(
                    "Unable to expand variable '{}'. A cyclical reference was detected."
                )
            value, nested_secret = self._resolve(nested, (*path, key))
            secret = secret or nested_secret
            text = text[:prefix] + value + text[suffix + 1 :]
            start = prefix + len(value)
        return text, secret


class _CannotExpand(Exception):  # noqa: N818 - a control-flow signal inside this module
    pass
