"""``python -m local.demo``: start a fresh local Azure, run the sample in the local agent, score it.

The tasks are those of the .vsix it is given. Everything it starts has ended when it ends.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import click
import httpx
import yaml

from local.demo.children import (
    ROOT,
    DemoError,
    interruptible,
    result_file,
    run_agent,
    running_azure,
)
from local.demo.progress import Progress
from local.demo.scoring import score

# What the pipeline says otherwise by SDK; v1 makes its own AKS cluster, v2 takes an attached one.
SETTINGS = {
    "v2": ("sdk=v2", "aml_pipeline=aml_pipeline_v2.yml", "aks_name=k8s-cluster"),
    "v1": ("sdk=v1", "aml_pipeline=aml_pipeline_v1.py", "aks_name=aks-cluster"),
}
SAMPLE = ROOT / "samples" / "compliance-classifier"
PIPELINE = SAMPLE / "azure-pipelines.yml"
# The classic definitions, and what they say of the artifact and of who approves.
BUILD = SAMPLE / "classic" / "build-definition.json"
RELEASE = SAMPLE / "classic" / "release-definition.json"
ALIAS = "_compliance-classifier"
APPROVED = "Production"
GOOD = ("succeeded", "succeededWithIssues")


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--vsix",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    required=True,
    hidden=True,
    help="The built extension whose tasks run; dev.py builds it.",
)
@click.option(
    "--sdk",
    type=click.Choice(list(SETTINGS)),
    default="v2",
    show_default=True,
    help="The Azure ML SDK that the tasks use.",
)
@click.option(
    "--classic",
    is_flag=True,
    help="Run the classic build and release definitions instead of azure-pipelines.yml.",
)
@click.option(
    "--json",
    "json_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Also write what is printed at the end as JSON to this file.",
)
@click.option(
    "--state",
    type=click.Path(file_okay=False, path_type=Path),
    help="Keep the local Azure's state here, to run again over it. Default: fresh, and deleted.",
)
@click.option(
    "--variable",
    "variables",
    multiple=True,
    metavar="K=V",
    help="Override a variable of the pipeline, for example rows=5000.",
)
def main(
    *,
    vsix: Path,
    sdk: str,
    classic: bool,
    json_file: Path | None,
    state: Path | None,
    variables: tuple[str, ...],
) -> None:
    """Run the compliance classifier from provisioning to a scored, live endpoint."""
    started = time.monotonic()
    progress = Progress()
    if json_file is not None:
        make_writable(json_file)
    stamp = datetime.now(timezone.utc).strftime("%Y%m%d-%H%M%S-%f")
    folder = ROOT / "build" / "demo" / stamp
    folder.mkdir(parents=True)
    try:
        with (
            interruptible(),
            tempfile.TemporaryDirectory(prefix="local-azure-", ignore_cleanup_errors=True) as fresh,
            running_azure(state or Path(fresh), folder) as azure,
        ):
            click.echo(f"demo: the local Azure is ready; its log is {folder / 'azure.log'}")
            settings = (*SETTINGS[sdk], *variables)
            if classic:
                run = build_and_release(vsix, azure, folder, settings, progress)
            else:
                run = run_agent("run", PIPELINE, vsix, azure, folder, settings, progress=progress)
            outcome = summarise(run, folder)
            with progress.watching("scoring two parts"):
                outcome |= answers(run, outcome, azure, variables, sdk)
    except DemoError as error:
        click.echo(f"demo: {error}", err=True)
        sys.exit(error.exit_code)
    outcome = {"sdk": sdk, **outcome, "seconds": round(time.monotonic() - started, 1)}
    if json_file is not None:
        json_file.write_text(json.dumps(outcome, indent=2) + "\n", encoding="utf-8")
    show(outcome)
    sys.exit(0 if outcome["succeeded"] and right(outcome["prediction"]) else 1)


def answers(
    run: dict[str, Any],
    outcome: dict[str, Any],
    azure: dict[str, str],
    variables: Sequence[str],
    sdk: str,
) -> dict[str, Any]:
    """What the service answers that was deployed, or that stayed because the gate said no."""
    if run["result"] in GOOD and outcome["endpoint"]:
        return {"prediction": scored(azure, outcome["endpoint"]["service"], sdk)}
    if outcome["gate"] and not outcome["gate"]["passed"]:
        return in_place(azure, service_name(variables), sdk)
    return {}


def build_and_release(
    vsix: Path,
    azure: dict[str, str],
    folder: Path,
    settings: tuple[str, ...],
    progress: Progress,
) -> dict[str, Any]:
    """Run the classic build and, if it succeeded, a release of it; return both as one result."""
    build = run_agent("run", BUILD, vsix, azure, folder, settings, progress=progress)
    if build["result"] not in GOOD:
        return build
    click.echo(f"demo: creating a release of build {build['buildNumber']}; {APPROVED} is approved")
    # By hand, as the portal's button does: the trigger's branch is main, and yours may be another.
    artifact = f"{ALIAS}={result_file(folder, 'run')}"
    options = ("--artifact", artifact, "--approve", APPROVED)
    release = run_agent(
        "release", RELEASE, vsix, azure, folder, settings, *options, progress=progress
    )
    return {**release, "steps": [*build["steps"], *release["steps"]]}


def make_writable(file: Path) -> None:
    """Put away an earlier result; raises ClickException when a new one could not be written."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("", encoding="utf-8")
        file.unlink()
    except OSError as error:
        raise click.ClickException(
            f"{file} cannot be written: {error.strerror}. Next: name another file with --json."
        ) from None


def summarise(run: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Return the demo's own account of the agent's result document."""
    by_task = {step["task"].split("@")[0]: step["outputs"] for step in run["steps"]}
    gate, deployed = by_task.get("EvaluateAndGate", {}), by_task.get("DeployToAks", {})
    keys = ("name", "displayName", "task", "result", "seconds", "outputs")
    return {
        "result": run["result"],
        "succeeded": run["result"] == "succeeded"
        and all(step["result"] == "succeeded" for step in run["steps"]),
        "steps": [{key: step.get(key) for key in keys} for step in run["steps"]],
        "gate": {
            "passed": gate.get("passed") == "true",
            "reason": gate.get("reason"),
            "model": gate.get("modelName"),
            "version": gate.get("modelVersion"),
            "report": gate.get("reportPath"),
        }
        if gate
        else None,
        "endpoint": {
            "service": deployed["serviceName"],
            "state": deployed.get("serviceState"),
            "scoringUri": deployed["scoringUri"],
        }
        if "scoringUri" in deployed
        else None,
        "inPlace": None,
        "prediction": [],
        "folder": str(folder),
    }


def scored(azure: dict[str, str], service: str, sdk: str) -> list[dict[str, Any]]:
    """Score one part of each class; raises DemoError when the service does not answer."""
    try:
        return score(azure, service, sdk)
    except httpx.HTTPError as error:
        raise DemoError(f"service {service} was deployed but did not answer: {error}") from error


def service_name(variables: Sequence[str]) -> str:
    """The service that the pipeline would have deployed to."""
    named = yaml.safe_load(PIPELINE.read_text(encoding="utf-8"))["variables"]
    named |= dict(variable.split("=", 1) for variable in variables)
    return str(named["service_name"])


def in_place(azure: dict[str, str], service: str, sdk: str) -> dict[str, Any]:
    """What an earlier run over the same state has in service still answers; nothing if nothing."""
    try:
        return {"inPlace": service, "prediction": score(azure, service, sdk)}
    except httpx.HTTPStatusError as error:
        if error.response.status_code == httpx.codes.NOT_FOUND:
            return {}
        raise DemoError(f"service {service} no longer answers: {error}") from error


def right(prediction: list[dict[str, Any]]) -> bool:
    """Tell whether both classes were asked for and every answer is the expected one."""
    return {row["expected"] for row in prediction} == {0, 1} and all(
        row["label"] == row["expected"] for row in prediction
    )


def show(outcome: dict[str, Any]) -> None:
    """Print the end of the demo: verdict, report, endpoint and scored rows."""
    click.echo("")
    for step in outcome["steps"]:
        name = step["displayName"] or step["name"] or step["task"]
        click.echo(f"  {step['result']:<20} {step['seconds']:>7.1f} s  {name}")
    gate, endpoint = outcome["gate"], outcome["endpoint"]
    if gate:
        verdict = "passed" if gate["passed"] else "rejected"
        registered = f"; registered {gate['model']}:{gate['version']}" if gate["version"] else ""
        click.echo(f"  gate      {verdict} ({gate['reason']}){registered}")
        click.echo(f"  report    {gate['report']}")
    if endpoint:
        click.echo(f"  endpoint  {endpoint['scoringUri']} ({endpoint['state']})")
    if outcome["inPlace"]:
        click.echo(f"  in place  {outcome['inPlace']}, untouched, still answers")
    for row in outcome["prediction"]:
        mark = "right" if row["label"] == row["expected"] else f"WRONG, expected {row['expected']}"
        meaning = ("compliant", "not compliant")[row["label"]]
        click.echo(f"  scored    {row['label']} {meaning} ({mark}): {row['text']}")
    click.echo(f"demo: {outcome['result']} in {outcome['seconds']:.0f} s")


if __name__ == "__main__":
    main()
