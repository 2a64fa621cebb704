"""A consumer's pipeline in small; steps run in the interpreter at hand, so nothing is built."""

import sys

from azureml.core import Environment
from azureml.core.runconfig import RunConfiguration
from azureml.pipeline.core import Pipeline, PipelineData, PipelineParameter
from azureml.pipeline.steps import PythonScriptStep


def build_pipeline(workspace, compute="cpu-cluster", accuracy=0.9, holders="train"):
    environment = Environment("at-hand")
    environment.python.user_managed_dependencies = True
    environment.python.interpreter_path = sys.executable
    configuration = RunConfiguration()
    configuration.environment = environment
    report = PipelineData("report", datastore=workspace.get_default_datastore())
    mode = PipelineParameter("mode", "good")
    count = PipelineParameter("count", 1)
    common = {"source_directory": "steps", "compute_target": compute, "runconfig": configuration}
    train = PythonScriptStep(
        name="train",
        script_name="train.py",
        arguments=[
            "--mode",
            mode,
            "--report",
            report,
            "--holds",
            str("train" in holders),
            "--count",
            count,
        ],
        outputs=[report],
        allow_reuse=False,
        **common,
    )
    evaluate = PythonScriptStep(
        name="evaluate",
        script_name="evaluate.py",
        arguments=["--accuracy", str(accuracy), "--holds", str("evaluate" in holders)],
        allow_reuse=False,
        **common,
    )
    evaluate.run_after(train)
    return Pipeline(workspace, steps=[train, evaluate])
