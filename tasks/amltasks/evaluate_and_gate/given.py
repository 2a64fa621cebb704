"""The inputs of EvaluateAndGate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from amltasks.azure_pipelines import inputs
from amltasks.evaluate_and_gate import baselines


@dataclass(frozen=True, kw_only=True)
class GateInputs:
    """The task's inputs; ``task.json`` describes them."""

    resource_group: str = inputs.text(required=True, alias="resourceGroupName")
    workspace: str = inputs.text(required=True, alias="workspaceName")
    candidate: str = inputs.choice("run", "model")
    candidate_run_id: str = inputs.text(
        required=True, shown=inputs.Shown(input="candidate", value="run")
    )
    candidate_model_version: int = inputs.required_whole(
        least=1, most=2_000_000_000, shown=inputs.Shown(input="candidate", value="model")
    )
    model_name: str = inputs.text(required=True)
    baseline: str = inputs.choice(*baselines.KINDS)
    service_name: str = inputs.text(
        required=True, shown=inputs.Shown(input="baseline", value="service")
    )
    baseline_tag: str = inputs.text(
        required=True, shown=inputs.Shown(input="baseline", value="tag")
    )
    baseline_version: int = inputs.required_whole(
        least=1, most=2_000_000_000, shown=inputs.Shown(input="baseline", value="version")
    )
    baseline_file: str = inputs.text(
        required=True, shown=inputs.Shown(input="baseline", value="file")
    )
    rules_file: str = inputs.text()
    rules: str = inputs.text()
    mode: str = inputs.choice("promote", "judge")
    copy_to: str = inputs.choice("none", "registry", "workspace")
    registry_name: str = inputs.text(
        required=True, shown=inputs.Shown(input="copyTo", value="registry")
    )
    target_resource_group: str = inputs.text(
        required=True,
        alias="targetResourceGroupName",
        shown=inputs.Shown(input="copyTo", value="workspace"),
    )
    target_workspace: str = inputs.text(
        required=True,
        alias="targetWorkspaceName",
        shown=inputs.Shown(input="copyTo", value="workspace"),
    )
    target_subscription_id: str = inputs.text(shown=inputs.Shown(input="copyTo", value="workspace"))
    on_reject: str = inputs.choice("fail", "warn", "continue")
    model_path: str = inputs.text(default="outputs/model")
    predictions_path: str = inputs.text()
    promote_tags: Mapping[str, str] = inputs.texts()
    model_description: str = inputs.text()
    model_tags: Mapping[str, str] = inputs.texts()
    output_directory: str = inputs.text(default="$(System.DefaultWorkingDirectory)/aml-gate")
    sdk: str = inputs.choice("v2", "v1")
