"""A classic release and a YAML environment wait for the verdict, each asked as the service asks."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import requests

from amltasks.azure_pipelines.devops import PREFIX, worst
from tests.extension import server
from tests.local.azure.conftest import http_session
from tests.running_azure import RunningAzure

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "tasks" / "AmlGateVerdictV1"
TASK = json.loads((FOLDER / "task.json").read_text())
GATE = TASK["execution"]["HttpRequest"]["Execute"]
MODEL = "parts.v2-model_1"


def check() -> dict[str, str]:
    """The built-in check with what our page says to write into its fields."""
    text = (FOLDER / "README.md").read_text()
    rows = dict(re.findall(r"^\| ([A-Z][\w ]+) \| `?(.*?)`? \|$", text, re.MULTILINE))
    return {
        # What InvokeRESTAPI makes of its inputs (Tasks/InvokeRestApiV1/task.json).
        "EndpointUrl": "$(endpoint.url)" + rows["URL suffix and parameters"],
        "Method": rows["Method"],
        "Headers": rows["Headers"],
        "Expression": rows["Success criteria"],
    }


class Organisation:
    """An organisation, a project and its builds."""

    def __init__(self, azure: RunningAzure, http: requests.Session) -> None:
        env = azure.environment
        self.http = http
        self.url = env["AZURE_DEVOPS_ORG_URL"] + "/"
        self.project = env["AZURE_DEVOPS_PROJECT"]
        self.token = env["AZURE_DEVOPS_EXT_PAT"]
        self.definition = self.ask("POST", "build/definitions", {"name": "train"})["id"]

    def ask(self, method: str, path: str, body: Any = None, kind: str = "application/json") -> Any:
        answer = self.http.request(
            method,
            f"{self.url}{self.project}/_apis/{path}?api-version=7.1-preview",
            auth=("", self.token),
            data=json.dumps(body),
            headers={"content-type": kind},
        )
        assert answer.ok, answer.text
        return answer.json()

    def build(self, verdicts: Mapping[str, str]) -> str:
        """A build whose gates came to verdicts, in properties as the gates name them."""
        body = {"definition": {"id": self.definition}}
        build = self.ask("POST", "build/builds", body)["id"]
        properties = {f"{PREFIX}{model}.Verdict": word for model, word in verdicts.items()}
        for model in verdicts:
            properties |= worst(properties, model)
        patch = [{"op": "add", "path": f"/{k}", "value": v} for k, v in properties.items()]
        kind = "application/json-patch+json"
        self.ask("PATCH", f"build/builds/{build}/properties", patch, kind)
        return str(build)

    def variables(self, build: str, **inputs: str) -> dict[str, str]:
        """The variables of a release's stage and of a run, and the inputs of the gate."""
        defaults = {item["name"]: item["defaultValue"] for item in TASK["inputs"]}
        return {
            **defaults,
            **inputs,
            "System.TeamFoundationCollectionUri": self.url,
            "System.TeamProjectId": self.project,
            "System.AccessToken": self.token,
            "Build.BuildId": build,
            "endpoint.url": self.url,
        }


@pytest.fixture(scope="module")
def organisation(azure: RunningAzure) -> Iterator[Organisation]:
    with http_session(azure) as http:
        yield Organisation(azure, http)


CASES: dict[str, tuple[dict[str, str], str, bool]] = {
    "passed": ({MODEL: "passed"}, "", True),
    "passed-by-name": ({MODEL: "passed"}, MODEL, True),
    "rejected": ({MODEL: "rejected"}, "", False),
    "rejected-by-name": ({MODEL: "rejected"}, MODEL, False),
    "one-of-two": ({MODEL: "passed", "other": "rejected"}, "", False),
    "the-good-one-of-two": ({MODEL: "passed", "other": "rejected"}, MODEL, True),
    "both": ({MODEL: "passed", "other": "passed"}, "", True),
    "another-model": ({"other": "passed"}, MODEL, False),
    "no-gate-in-the-build": ({}, "", False),
    "no-gate-in-the-build-by-name": ({}, MODEL, False),
    "an-unknown-word": ({MODEL: "perhaps"}, "", False),
}


@pytest.mark.parametrize(("verdicts", "model", "expected"), CASES.values(), ids=CASES)
def test_a_release_waits_for_the_verdict(
    organisation: Organisation, verdicts: dict[str, str], model: str, expected: bool
) -> None:
    build = organisation.build(verdicts)
    values = organisation.variables(build, modelName=model)
    assert server.answered(organisation.http, GATE, values).status_code == 200
    assert server.passes(organisation.http, GATE, values) is expected


@pytest.mark.parametrize(("verdicts", "model", "expected"), CASES.values(), ids=CASES)
def test_an_environment_waits_for_the_verdict(
    organisation: Organisation, verdicts: dict[str, str], model: str, expected: bool
) -> None:
    request = check()
    if model:
        request["Expression"] = request["Expression"].replace(
            "AmlGate.Verdict", f"AmlGate.{model}.Verdict"
        )
    values = organisation.variables(organisation.build(verdicts))
    assert server.answered(organisation.http, request, values).status_code == 200
    assert server.passes(organisation.http, request, values) is expected


def test_the_build_of_another_artifact(organisation: Organisation) -> None:
    good, bad = organisation.build({MODEL: "passed"}), organisation.build({MODEL: "rejected"})
    values = organisation.variables(bad, buildId="$(Release.Artifacts.models.BuildId)")
    values["Release.Artifacts.models.BuildId"] = good
    assert server.passes(organisation.http, GATE, values)


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"Build.BuildId": "999999"}, 404),
        ({"System.AccessToken": "wrong"}, 401),
        ({"project": "elsewhere"}, 404),
        # A release without a build artifact: the macro stays as it is.
        ({"buildId": "$(Release.Artifacts.none.BuildId)"}, 400),
    ],
)
def test_what_cannot_be_read_does_not_pass(
    organisation: Organisation, changed: dict[str, str], status: int
) -> None:
    values = organisation.variables(organisation.build({MODEL: "passed"})) | changed
    assert server.answered(organisation.http, GATE, values).status_code == status
    assert not server.passes(organisation.http, GATE, values)


def test_a_model_name_cannot_open_the_gate(organisation: Organisation) -> None:
    """A quote in it breaks the expression, and a broken expression does not pass."""
    values = organisation.variables(organisation.build({MODEL: "rejected"}), modelName="x', 'y")
    with pytest.raises(Exception, match="expression"):
        server.passes(organisation.http, GATE, values)
