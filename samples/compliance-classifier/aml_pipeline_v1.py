"""The Azure ML pipeline of the sample, for azureml-sdk (v1): train, then evaluate.

RunAmlPipeline calls `build_pipeline` with those of its ``parameters`` that are named here.
"""

from pathlib import Path
from typing import Any

from azureml.core import Environment, RunConfiguration, Workspace
from azureml.pipeline.core import Pipeline, PipelineData
from azureml.pipeline.steps import PythonScriptStep

HERE = Path(__file__).resolve().parent
# All of it travels with the run, so a CSV in this folder can be named by its path in it.
SCRIPTS = HERE.parents[1] / "ml_scripts"


def build_pipeline(
    workspace: Workspace,
    aml_compute_target: str,
    model_name: str = "compliance-classifier",
    rows: int = 100_000,
    network: str = "small",
    epochs: int = 10,
    learning_rate: float = 0.01,
    batch_size: int = 256,
    seed: int = 1,
    data: str = "generated",
    glove: str = "none",
) -> Pipeline:
    """Return the pipeline with the steps ``train`` and ``evaluate``.

    ``train`` leaves the model in its ``outputs/model``; ``evaluate`` logs the metrics to its own
    run and to the pipeline's.

    Args:
        workspace: where the pipeline will run.
        aml_compute_target: name of the AmlCompute cluster.
        model_name: written into the model's metadata.json.
        rows: how many rows to generate.
        network: ``small``, which pools the words of a text, or ``seed``, that of the workshop.
        epochs: passes over the training rows at most; 0 leaves the network untrained.
        learning_rate: of the Adam optimizer.
        batch_size: rows for each step of the optimizer.
        seed: of the training; the data and its evaluation rows do not depend on it.
        data: CSV with the columns text and label, as URL or as path in ``ml_scripts``; or
            ``generated``.
        glove: GloVe text file, as URL or as path in ``ml_scripts``; ``none`` learns the embedding.
    """
    run_configuration = RunConfiguration()
    run_configuration.target = aml_compute_target
    run_configuration.environment = Environment.from_conda_specification(
        "compliance-classifier", str(HERE / "environment.yml")
    )
    common: dict[str, Any] = {
        "compute_target": aml_compute_target,
        "source_directory": str(SCRIPTS),
        "runconfig": run_configuration,
        # A build must train: an earlier build's model is not its own.
        "allow_reuse": False,
    }
    # The same data for both steps, which divide it by the same rule.
    source = _given("--data", data)
    model = PipelineData("model", datastore=workspace.get_default_datastore())
    train = PythonScriptStep(
        name="train",
        script_name="train.py",
        arguments=[
            *("--model-output", model),
            *source,
            *("--rows", rows),
            *("--network", network),
            *("--epochs", epochs),
            *("--learning-rate", learning_rate),
            *("--batch-size", batch_size),
            *("--seed", seed),
            *_given("--glove", glove),
            *_given("--model-name", model_name),
        ],
        outputs=[model],
        **common,
    )
    evaluate = PythonScriptStep(
        name="evaluate",
        script_name="evaluate.py",
        arguments=["--model", model, *source],
        inputs=[model],
        **common,
    )
    return Pipeline(workspace, steps=[train, evaluate])


def _given(option: str, value: str | None) -> list[str]:
    """Return the option and its value, or nothing: an empty argument may get lost on the way."""
    return [option, value] if value else []
