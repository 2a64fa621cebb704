"""The real bundled launcher under plain node, with a small task and the agent's environment.

The task's Python is a stand-in for `amltasks`: it runs the code that a test puts into its input
`code`, which finds `document` (the hand-over), `send(**message)` and `stdin` there.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from extension.package import LAUNCHER
from tests.patience import PATIENCE_S

CONNECTION = "0b5f6d1c-7a38-4a7e-9f0a-2f6f3f2f7c11"
KEY = "the-key-of-the-service-connection"
JOB_TOKEN = "the-access-token-of-the-job"
ROOT = Path(__file__).resolve().parents[3]
FAKE_AMLTASKS = """
import json, os, sys

stdin = os.fdopen(os.dup(0), "r", encoding="utf-8")
document = json.loads(stdin.readline())

def send(**message):
    os.write(3, (json.dumps(message) + "\\n").encode())

exec(document["inputs"]["code"])
"""
TASK = {
    "name": "Fake",
    "version": {"Major": 1, "Minor": 0, "Patch": 0},
    "inputs": [
        {
            "name": "connectedServiceNameARM",
            "aliases": ["azureSubscription"],
            "type": "connectedService:AzureRM",
        },
        {"name": "code", "type": "multiLine"},
        {"name": "computeName", "type": "string"},
        {"name": "pythonPath", "type": "string"},
    ],
}
COMMAND = re.compile(r"##vso\[([a-z]+\.[a-z]+)(?: ([^\]]*))?\](.*)")
DEBUG = "task.debug"


@dataclass(frozen=True, kw_only=True)
class Command:
    """A `##vso` command as the agent reads it."""

    name: str
    properties: Mapping[str, str]
    data: str


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a launcher did: exit code, both streams, and the commands among its output."""

    code: int
    stdout: str
    stderr: str

    @property
    def commands(self) -> list[Command]:
        """Every command but the debug lines."""
        return [command for command in map(parse, self.stdout.splitlines()) if command]

    @property
    def log(self) -> str:
        """The lines that are no command."""
        return "\n".join(line for line in self.stdout.splitlines() if "##vso[" not in line)

    @property
    def result(self) -> tuple[str, str]:
        """The one result and its message."""
        (complete,) = self.named("task.complete")
        assert parse(self.stdout.splitlines()[-1]) == complete, "the result is not the last line"
        return complete.properties["result"], complete.data

    @property
    def errors(self) -> list[str]:
        """The messages of all error issues."""
        issues = self.named("task.logissue")
        return [issue.data for issue in issues if issue.properties["type"] == "error"]

    def named(self, name: str) -> list[Command]:
        """The commands of one name."""
        return [command for command in self.commands if command.name == name]


def parse(line: str) -> Command | None:
    """A line's command, read as Command.cs of the agent does; None for text and debug lines."""
    match = COMMAND.search(line)
    if not match or match[1] == DEBUG:
        return None

    def plain(text: str) -> str:
        for code, character in (
            ("%3B", ";"),
            ("%0D", "\r"),
            ("%0A", "\n"),
            ("%5D", "]"),
            ("%AZP25", "%"),
        ):
            text = text.replace(code, character)
        return text

    properties = dict(item.split("=", 1) for item in (match[2] or "").split(";") if "=" in item)
    return Command(
        name=match[1],
        properties={name: plain(value) for name, value in properties.items()},
        data=plain(match[3]),
    )


@dataclass(frozen=True, kw_only=True)
class Launcher:
    """A staged task and the agent's folders; starts the launcher in them."""

    folder: Path
    tools: Path
    temp: Path
    sources: Path
    variables: Mapping[str, str] = field(default_factory=dict)

    def environment(
        self, code: str, variables: Mapping[str, str], inputs: Mapping[str, str]
    ) -> dict[str, str]:
        """The environment that the agent gives to a task (Handler.cs, NodeHandler.cs)."""
        known = {
            "Agent.ToolsDirectory": str(self.tools),
            "Agent.TempDirectory": str(self.temp),
            "Build.BuildNumber": "20261123.4",
            "Build.SourceBranch": "refs/heads/main",
            "My.Own": "not for the task",
            **variables,
        }
        kept = ("PATH", "HOME", "SYSTEMROOT", "UV_CACHE_DIR", "LANG", "TMPDIR")
        environment = {name: os.environ[name] for name in kept if name in os.environ}
        # The launcher's own uv and Python are those of the test's environment.
        environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
        environment |= {name.upper().replace(".", "_"): text for name, text in known.items()}
        environment |= {
            "VSTS_PUBLIC_VARIABLES": json.dumps(list(known)),
            "SECRET_MY_PASSWORD": "the-secret-variable",
            "VSTS_SECRET_VARIABLES": json.dumps(["My.Password"]),
            "ENDPOINT_URL_SYSTEMVSSCONNECTION": "https://dev.azure.com/contoso/",
            "ENDPOINT_AUTH_SYSTEMVSSCONNECTION": json.dumps(
                {"scheme": "OAuth", "parameters": {"AccessToken": JOB_TOKEN}}
            ),
            "ENDPOINT_AUTH_SCHEME_SYSTEMVSSCONNECTION": "OAuth",
            "ENDPOINT_AUTH_PARAMETER_SYSTEMVSSCONNECTION_ACCESSTOKEN": JOB_TOKEN,
            f"ENDPOINT_URL_{CONNECTION}": "https://management.azure.com/",
            f"ENDPOINT_AUTH_{CONNECTION}": json.dumps(
                {
                    "scheme": "ServicePrincipal",
                    "parameters": {
                        "tenantid": "tenant",
                        "serviceprincipalid": "client",
                        "authenticationType": "spnKey",
                        "serviceprincipalkey": KEY,
                    },
                }
            ),
            f"ENDPOINT_AUTH_SCHEME_{CONNECTION}": "ServicePrincipal",
            f"ENDPOINT_AUTH_PARAMETER_{CONNECTION}_SERVICEPRINCIPALKEY": KEY,
            f"ENDPOINT_DATA_{CONNECTION}": json.dumps(
                {"subscriptionId": "subscription", "environment": "AzureCloud"}
            ),
            f"ENDPOINT_DATA_{CONNECTION}_SUBSCRIPTIONID": "subscription",
        }
        given = {
            "connectedServiceNameARM": CONNECTION,
            "code": code,
            "computeName": "cpu-cluster",
            "pythonPath": sys.executable,
            **inputs,
        }
        environment |= {f"INPUT_{name.upper()}": text for name, text in given.items()}
        return environment

    def start(
        self,
        code: str = "send(type='result', result='Succeeded')",
        *,
        inputs: Mapping[str, str] | None = None,
        variables: Mapping[str, str] | None = None,
        env: Mapping[str, str | None] | None = None,
        program: str = LAUNCHER,
    ) -> subprocess.Popen[str]:
        """Start the launcher; `env` overrides single variables, None removes one."""
        environment = self.environment(code, variables or {}, inputs or {})
        for name, value in (env or {}).items():
            environment.pop(name, None)
            if value is not None:
                environment[name] = value
        return subprocess.Popen(
            ["node", str(self.folder / program)],
            cwd=self.sources,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )

    def run(
        self,
        code: str = "send(type='result', result='Succeeded')",
        **options: Mapping[str, str | None],
    ) -> Outcome:
        """Run the launcher to its end."""
        return finish(self.start(code, **options))  # type: ignore[arg-type]


def finish(process: subprocess.Popen[str]) -> Outcome:
    """Wait for a launcher and read what it said; it is killed when it takes too long."""
    try:
        stdout, stderr = process.communicate(timeout=PATIENCE_S)
    finally:
        process.kill()
    return Outcome(code=process.returncode, stdout=stdout, stderr=stderr)


def make_launcher(root: Path, bundle: Path, tools: Path) -> Launcher:
    """Stage the task as the agent unpacks it."""
    made = Launcher(folder=root / "task", tools=tools, temp=root / "temp", sources=root / "sources")
    for path in (made.folder / "python" / "amltasks", made.folder / "requirements"):
        path.mkdir(parents=True)
    for path in (made.temp, made.sources):
        path.mkdir()
    shutil.copy(bundle / LAUNCHER, made.folder)
    (made.folder / "task.json").write_text(json.dumps(TASK))
    (made.folder / "python" / "amltasks" / "__init__.py").touch()
    (made.folder / "python" / "amltasks" / "__main__.py").write_text(FAKE_AMLTASKS)
    (made.folder / "requirements" / "v2.txt").write_text("# nothing\n")
    (made.folder / "requirements" / "uv.txt").write_text("uv==0.0.1\n")
    return made


def evaluated(code: str, env: Mapping[str, str] | None = None) -> str:
    """What JavaScript prints that imports the launcher's modules as `./name`."""
    bundle = ["--bundle", "--platform=node", "--target=node20", "--log-level=warning"]
    made = subprocess.run(
        [str(ROOT / "node_modules" / ".bin" / "esbuild"), *bundle],
        cwd=ROOT / "tasks" / "launcher",
        input=code,
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    result = subprocess.run(
        ["node", "-"],
        input=made.stdout,
        env={**os.environ, **(env or {})},
        capture_output=True,
        encoding="utf-8",
        timeout=PATIENCE_S,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    lines = result.stdout.splitlines()
    return "\n".join(line for line in lines if not line.startswith("##vso[task.debug]"))


def tool_script(path: Path, code: str) -> Path:
    """An executable Python script that stands in for a tool."""
    path.parent.mkdir(parents=True, exist_ok=True)
    head = f"#!{sys.executable} -I\nimport os, sys, time\nfrom pathlib import Path\n"
    path.write_text(head + code)
    path.chmod(0o755)
    return path
