"""One step that logs the accuracy it is told and leaves a model."""

from azureml.core import Environment, RunConfiguration
from azureml.pipeline.core import Pipeline
from azureml.pipeline.steps import PythonScriptStep


def build_pipeline(workspace, aml_compute_target, interpreter, quality):
    """Return the pipeline; it runs in an interpreter that is there already."""
    environment = Environment("consumer")
    environment.python.user_managed_dependencies = True
    environment.python.interpreter_path = interpreter
    configuration = RunConfiguration()
    configuration.environment = environment
    configuration.target = aml_compute_target
    step = PythonScriptStep(
        name="train",
        script_name="train.py",
        arguments=["--quality", quality],
        source_directory="src",
        compute_target=aml_compute_target,
        runconfig=configuration,
        allow_reuse=False,
    )
    return Pipeline(workspace=workspace, steps=[step])
