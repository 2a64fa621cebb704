"""Canaries: secrets that are put wherever a user can put one, and looked for wherever one can land.

The real tasks run under the real launcher, with system.debug. No run of twelve characters of a
canary may be in a log, an error, a file, a command line or a child's environment. How many texts
were looked through is told at the end of the run.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import psutil
import pytest

from tests.patience import PATIENCE_S
from tests.tasks.launcher.harness import (
    CONNECTION,
    DEBUG,
    Launcher,
    Outcome,
    finish,
    make_launcher,
    parse,
)

ROOT = Path(__file__).resolve().parents[3]
TASKS = ("DeployToAksV1", "EvaluateAndGateV1", "ProvisionAmlComputeV1", "RunAmlPipelineV1")
RUN = 12

TEXT = "Zx8~qLw3Kp9v_Bn5rTy7mJd2hGc6sFa4"
SAS = "https://canaryacct.blob.example/c/m.bin?sv=2024&sig=Qq7Rr8Ss9Tt0Uu1Vv2Ww3Xx4Yy5Zz6%2B%3D"
LINES = "first-Line-9f8e7d6c5b4a3928\nsecond: [Line-1a2b3c4d5e6f7081\n\tthird-Line-00112233445566"
PHRASE = 'gamma "delta" epsilon\\zeta eta-theta iota: {kappa'
LONG = "L0ng-" + "".join(f"{i:x}k" for i in range(4096, 4126))
KEY = "kEy~of~the~connection~8f3a2b1c9d0e"
TOKEN = "tOken.of.the.job.5e4d3c2b1a0f9e8d"
CANARIES = (TEXT, SAS, LINES, PHRASE, LONG, KEY, TOKEN)

# Each of them makes a secret a part of something that the task reads, joins, cuts or converts.
SHAPES: tuple[Callable[[str], str], ...] = (
    lambda secret: secret,
    lambda secret: f"password: {secret}: {{",
    lambda secret: f"  {secret.upper()}  ",
    lambda secret: f"a: ['{secret}', *{secret}]\nb: !{secret} 1",
    lambda secret: f"outputs/{secret}/../{secret}",
    lambda secret: f"{secret}\n" * 3 + "x" * 100_000,
)


class Counts:
    """How much was looked through."""

    def __init__(self) -> None:
        self.runs = self.texts = self.characters = 0


def normal(text: str) -> str:
    """Without what the tasks may change of a text: case, blanks, slashes, quotes."""
    return "".join(text.lower().translate(str.maketrans("", "", "/\\'\" \n\r\t")))


RUNS = {
    normal(canary)[i : i + RUN]: canary
    for canary in CANARIES
    for i in range(len(normal(canary)) - RUN + 1)
}


def parts_in(text: str) -> list[str]:
    """The runs of canaries in a text."""
    found = normal(text)
    return [run for run in RUNS if run in found]


@pytest.fixture
def counts(record_property: Callable[[str, object], None]) -> Iterator[Counts]:
    """Counts that the summary at the end of the run adds up."""
    counted = Counts()
    yield counted
    for name, value in vars(counted).items():
        record_property(f"canary {name}", value)


@pytest.fixture(scope="module")
def stage(
    tmp_path_factory: pytest.TempPathFactory, launcher_bundle: Path, launcher_tools: Path
) -> Callable[[str], Launcher]:
    """The real tasks, as they are unpacked on an agent; one environment for all."""

    def staged(task: str) -> Launcher:
        root = tmp_path_factory.mktemp(task)
        made = make_launcher(root, launcher_bundle, launcher_tools)
        folder = made.folder
        shutil.copy(ROOT / "tasks" / task / "task.json", folder)
        if (ROOT / "tasks" / task / "launcher.json").exists():
            shutil.copy(ROOT / "tasks" / task / "launcher.json", folder)
        shutil.rmtree(folder / "python")
        shutil.copytree(
            *(ROOT / "tasks" / "amltasks", folder / "python" / "amltasks"),
            ignore=shutil.ignore_patterns("__pycache__", "admin"),
        )
        names = ("v2-gate.txt", "v2.txt")
        lock = ROOT / "requirements" / names[task != "EvaluateAndGateV1"]
        shutil.copy(lock, folder / "requirements" / "v2.txt")
        shutil.copy(ROOT / "requirements" / "uv.txt", folder / "requirements")
        return made

    return staged


def declared(launcher: Launcher) -> list[dict[str, object]]:
    """The inputs of a staged task."""
    found = json.loads((launcher.folder / "task.json").read_text())["inputs"]
    assert isinstance(found, list)
    return found


def defaults(launcher: Launcher) -> dict[str, str]:
    """Inputs that are good, so that only the one with the canary is not."""
    (launcher.sources / "file.py").write_text("def build_pipeline(w): return None\n")
    (launcher.sources / "rules.yml").write_text("rules: [{metric: accuracy, floor: 0.5}]\n")
    own = {
        "connectedServiceNameARM": CONNECTION,
        "pythonPath": sys.executable,
        "pipelineFile": "file.py",
        "entryScript": "file.py",
        "environmentFile": "rules.yml",
        "rulesFile": "rules.yml",
        "modelVersion": "1",
        "candidateRunId": "run",
        "modelName": "model",
        "serviceName": "canary",
        "aksName": "cluster",
    }
    known = {str(each["name"]): each for each in declared(launcher)}
    given = {
        name: str(each.get("defaultValue", "")).replace(
            "$(System.DefaultWorkingDirectory)", str(launcher.sources)
        )
        for name, each in known.items()
    }
    required = {name: "canary-name" for name, each in known.items() if each.get("required")}
    filled = {name: given[name] or value for name, value in required.items()}
    return {**given, **filled, **{name: value for name, value in own.items() if name in known}}


def secrets(**more: str) -> dict[str, str]:
    """The agent's way to tell a task of secret variables, and of the connection's key."""
    named = {f"CANARY_{n}": canary for n, canary in enumerate(CANARIES[:5])}
    authorization = {
        "scheme": "ServicePrincipal",
        "parameters": {
            "serviceprincipalid": "client",
            "authenticationType": "spnKey",
            "serviceprincipalkey": KEY,
        },
    }
    job = {"scheme": "OAuth", "parameters": {"AccessToken": TOKEN}}
    return {
        **{f"SECRET_{name}": canary for name, canary in named.items()},
        "VSTS_SECRET_VARIABLES": json.dumps(list(named)),
        "SECRET_MY_PASSWORD": TEXT,
        # Without a tenant: every task ends before it speaks to Azure.
        f"ENDPOINT_AUTH_{CONNECTION}": json.dumps(authorization),
        f"ENDPOINT_AUTH_PARAMETER_{CONNECTION}_SERVICEPRINCIPALKEY": KEY,
        "ENDPOINT_AUTH_SYSTEMVSSCONNECTION": json.dumps(job),
        "ENDPOINT_AUTH_PARAMETER_SYSTEMVSSCONNECTION_ACCESSTOKEN": TOKEN,
        **more,
    }


def run(
    launcher: Launcher,
    counts: Counts,
    inputs: Mapping[str, str],
    *,
    env: Mapping[str, str | None] | None = None,
    variables: Mapping[str, str] | None = None,
) -> Outcome:
    """Run the task with system.debug, and look for canaries in all that it said and wrote."""
    absent = {"INPUT_CODE": None, "INPUT_COMPUTENAME": None}
    process = launcher.start(
        env={
            **{k: v for k, v in absent.items() if k not in inputs},
            **{f"INPUT_{name.upper()}": text for name, text in inputs.items()},
            **secrets(),
            **(env or {}),
        },
        variables={"System.Debug": "true", **(variables or {})},
    )
    outcome = finish(process)
    counts.runs += 1
    hold(counts, "stderr", outcome.stderr)
    for line in outcome.stdout.splitlines():
        command = parse(line)
        # The agent's own way to be told a secret; it shows neither.
        kept = command and (
            command.name == "task.setsecret" or command.properties.get("issecret") == "true"
        )
        if not kept:
            hold(counts, "stdout", line)
    for folder in (launcher.sources, launcher.temp):
        for path in folder.rglob("*"):
            if path.is_file():
                hold(counts, str(path), path.read_bytes().decode("utf-8", "replace"))
                hold(counts, "a file's name", path.name)
    return outcome


def hold(counts: Counts, where: str, text: str) -> None:
    """Fail when a part of a canary is in a text."""
    counts.texts += 1
    counts.characters += len(text)
    assert not parts_in(text), f"{where}: {text[:2000]}"


def test_the_canaries_are_found_when_they_are_there() -> None:
    for canary in CANARIES:
        assert parts_in(f"x {canary} y")
        assert parts_in(canary[3:].replace("//", "/").upper())
        assert parts_in(json.dumps(canary[: len(canary) // 2 + 2]))
    assert not parts_in("the service connection of the job, https://management.azure.com/")


@pytest.mark.parametrize("task", TASKS)
def test_no_input_of_a_task_shows_a_secret(
    task: str, stage: Callable[[str], Launcher], counts: Counts
) -> None:
    launcher = stage(task)
    good = defaults(launcher)
    codes = set()
    for number, name in enumerate(good):
        shape, canary = SHAPES[number % len(SHAPES)], CANARIES[number % 5]
        outcome = run(launcher, counts, {**good, name: shape(canary)})
        assert outcome.result[0] == "Failed", (name, outcome.log)
        codes.add(outcome.result[1].partition(":")[0])
    assert "INPUT_INVALID" in codes
    assert len(codes) >= 3, codes
    assert "INTERNAL_ERROR" not in codes


@pytest.mark.parametrize("canary", CANARIES[:5], ids=["text", "sas", "lines", "phrase", "long"])
def test_no_shape_of_a_secret_is_shown(
    canary: str, stage: Callable[[str], Launcher], counts: Counts
) -> None:
    launcher = stage("RunAmlPipelineV1")
    good = defaults(launcher)
    for shape in SHAPES:
        for name in ("parameters", "pipelineFile"):
            outcome = run(launcher, counts, {**good, name: shape(canary)})
            assert outcome.result[0] == "Failed"


def test_the_launchers_own_errors_show_no_secret(
    stage: Callable[[str], Launcher], counts: Counts, tmp_path: Path
) -> None:
    launcher = stage("ProvisionAmlComputeV1")
    good = defaults(launcher)
    index = f"http://canary:{TEXT}@127.0.0.1:9/simple"
    lock = launcher.folder / "requirements" / "v2.txt"
    ways: list[tuple[str, dict[str, str], dict[str, str | None]]] = [
        ("INPUT_UNKNOWN", {"computNme": TEXT}, {}),
        ("INPUT_UNKNOWN", {"computNme": "1", "minNodes": LONG}, {}),
        ("PYTHON_NOT_FOUND", {"pythonPath": SAS}, {}),
        ("PYTHON_NOT_FOUND", {"pythonPath": f"/bin/{TEXT}"}, {}),
        ("CONNECTION_UNSUPPORTED", {"connectedServiceNameARM": f"c {TEXT}"}, {}),
        ("CONNECTION_UNSUPPORTED", {}, {f"ENDPOINT_DATA_{CONNECTION}": f'{{"a": "{TEXT}'}),
        ("CONNECTION_UNSUPPORTED", {}, {f"ENDPOINT_AUTH_{CONNECTION}": f'{{"a": "{KEY}'}),
        ("ENVIRONMENT_INSTALL_FAILED", {}, {"AGENT_TOOLSDIRECTORY": f"/dev/null/{TEXT}"}),
        (
            "ENVIRONMENT_INSTALL_FAILED",
            {},
            {
                "AGENT_TOOLSDIRECTORY": str(tmp_path / "tools"),
                "UV_DEFAULT_INDEX": index,
                "UV_CACHE_DIR": str(tmp_path / "cache"),
                "UV_HTTP_RETRIES": "0",
            },
        ),
        (
            "UV_UNAVAILABLE",
            {},
            {
                "AGENT_TOOLSDIRECTORY": str(tmp_path / "tools"),
                "PIP_INDEX_URL": index,
                "PIP_RETRIES": "0",
                "PATH": os.path.dirname(shutil.which("node") or ""),  # noqa: PTH120
            },
        ),
    ]
    for code, inputs, env in ways:
        outcome = run(launcher, counts, {**good, **inputs}, env=env)
        assert outcome.result[1].startswith(code), (code, outcome.result, outcome.log)
    bypass = {"Agent.ProxyUrl": "http://127.0.0.1:9", "Agent.ProxyBypassList": f'["{SAS}'}
    assert run(launcher, counts, good, variables=bypass).result[0] == "Failed"
    assert lock.exists()


@pytest.mark.parametrize("task", TASKS)
def test_a_network_that_fails_shows_no_secret(
    task: str, stage: Callable[[str], Launcher], counts: Counts
) -> None:
    launcher = stage(task)
    authorization = {
        "scheme": "ServicePrincipal",
        "parameters": {
            "tenantid": "00000000-0000-0000-0000-000000000001",
            "serviceprincipalid": "00000000-0000-0000-0000-000000000002",
            "authenticationType": "spnKey",
            "serviceprincipalkey": KEY,
        },
    }
    outcome = run(
        launcher,
        counts,
        {**defaults(launcher), "resourceGroup": PHRASE, "workspace": TEXT},
        env={
            f"ENDPOINT_AUTH_{CONNECTION}": json.dumps(authorization),
            "HTTPS_PROXY": f"http://canary:{TEXT}@127.0.0.1:9",
        },
    )
    assert outcome.result[0] == "Failed"
    assert outcome.result[1].startswith(("NO_NETWORK", "AUTHENTICATION_FAILED")), outcome.result


@pytest.mark.skipif(not Path("/proc").exists(), reason="looks at processes through /proc")
def test_no_process_of_a_task_has_a_secret_in_its_arguments_or_environment(
    launcher: Launcher, counts: Counts
) -> None:
    code = (
        "import subprocess, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "open('ready', 'w').close(); stdin.readline(); child.kill()\n"
        "send(type='result', result='Canceled')\n"
    )
    process = launcher.start(code, env=secrets())
    looked: list[int] = []
    deadline = threading.Event()
    try:
        for _ in range(int(PATIENCE_S * 10)):
            if (launcher.sources / "ready").exists() or deadline.wait(0.1):
                break
        node = psutil.Process(process.pid)
        hold(counts, "node's arguments", " ".join(node.cmdline()))
        for child in node.children(recursive=True):
            environment = Path(f"/proc/{child.pid}/environ").read_bytes().decode()
            hold(counts, "a child's arguments", "\n".join(child.cmdline()))
            hold(counts, "a child's environment", environment)
            assert "INPUT_" not in environment
            assert "ENDPOINT_" not in environment
            looked.append(child.pid)
    finally:
        process.terminate()
        finish(process)
    assert len(looked) == 2


def test_what_a_task_prints_sets_and_publishes_is_cleaned(
    launcher: Launcher, counts: Counts
) -> None:
    code = f"""
import base64, urllib.parse
text, sas = {TEXT!r}, {SAS!r}
print("whole", text, "cut", text[5:25], "upper", text.upper())
print("path", sas.replace("//", "/"), "quoted", urllib.parse.quote(sas, safe=""))
print("base64", base64.b64encode(text.encode()).decode())
print(json.dumps({LINES!r}), repr({LINES!r}), file=sys.stderr)
open("summary.md", "w").write("a " + text[:20] + " b")
open("picture.png", "wb").write(b"\\xff\\x00picture")
send(type="summary", path="summary.md")
send(type="attachment", kind="k", name="n", path="picture.png")
send(type="progress", percent=1, text=text[2:])
send(type="issue", level="warning", code="A_CODE", message="of " + sas[:50])
send(type="variable", name="fresh", value="a-secret-made-by-the-task-42", secret=True)
# Messages and output come by two pipes without an order: wait until the secret is known.
import time
open("fresh.md", "w").write("a-secret-made-by-the-task-42")
send(type="summary", path="fresh.md")
while "42" in open("fresh.md").read():
    time.sleep(0.05)
print("fresh", "a-secret-made-by-the-task-42"[3:])
send(type="result", result="Failed", message="A_CODE: " + text[:24])
"""
    outcome = run(launcher, counts, {"code": code})
    assert "made-by-the-task" not in outcome.log
    (warning,) = [c for c in outcome.named("task.logissue") if c.properties["type"] == "warning"]
    assert warning.data == "of ***"
    assert outcome.result == ("Failed", "A_CODE: ***")
    assert "whole *** cut *** upper ***" in outcome.log
    assert (launcher.sources / "summary.md").read_text() == "a *** b"
    assert (launcher.sources / "picture.png").read_bytes() == b"\xff\x00picture"
    assert DEBUG in outcome.stdout


def test_ordinary_words_stay(launcher: Launcher) -> None:
    said = [
        "Opening workspace my-workspace in resource group my-group",
        "https://management.azure.com/subscriptions/1/resourceGroups/g",
        "-" * 80,
        "CONNECTION_UNSUPPORTED: the service connection of the job",
        "KeyError: 'accuracy'; password: x; token 123",
    ]
    certificate = f"-----BEGIN CERTIFICATE-----\n{LONG}\n-----END CERTIFICATE-----\n" + "-" * 60
    code = f"print({chr(10).join(said)!r})\nprint('-----BEGIN CERTIFICATE-----')\n"
    env = secrets(SECRET_PEM=certificate)
    outcome = launcher.run(code + "send(type='result', result='Succeeded')", env=env)
    for line in [*said, "-----BEGIN CERTIFICATE-----"]:
        assert line in outcome.log.splitlines()
