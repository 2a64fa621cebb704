"""The consumer's pipeline for azure-ai-ml; steps run in the interpreter at hand."""

import sys

from azure.ai.ml import Input, Output, command, dsl
from azure.ai.ml.entities import Environment

BARE = Environment(name="at-hand", image="python:3.11")


def build_pipeline(ml_client, compute="cpu-cluster", accuracy=0.9, holds="train"):
    training = command(
        code="steps",
        command=f"{sys.executable} train.py --mode ${{{{inputs.mode}}}} --report "
        f"${{{{outputs.report}}}} --holds {'train' in holds} --count ${{{{inputs.count}}}}",
        environment=BARE,
        inputs={"mode": Input(type="string"), "count": Input(type="integer")},
        outputs={"report": Output(type="uri_folder")},
    )
    evaluation = command(
        code="steps",
        command=f"{sys.executable} evaluate.py --accuracy {accuracy} "
        f"--holds {'evaluate' in holds} --after ${{{{inputs.after}}}}",
        environment=BARE,
        inputs={"after": Input(type="uri_folder")},
    )

    @dsl.pipeline(compute=compute)
    def consumer(mode: str = "good", count: int = 1):
        # The nodes are named after these variables.
        train = training(mode=mode, count=count)
        evaluate = evaluation(after=train.outputs.report)  # noqa: F841

    job = consumer()
    job.settings.force_rerun = True
    return job
