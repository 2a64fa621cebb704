"""Pipelines of a few steps, and their time limits in fractions of a minute."""

from __future__ import annotations

import dataclasses


def steps(*lines):
    return "steps:\n- checkout: none\n" + "".join(f"- {line}\n" for line in lines)


def shortened(**limits):
    """Give the first job or step fractions of a minute, which a file cannot."""

    def change(prepared):
        (stage,) = prepared.pipeline.stages
        (job,) = stage.jobs
        planned = prepared.plan[stage.name, job.name]
        if "step" in limits:
            step = dataclasses.replace(planned[0].step, timeout_minutes=limits["step"] / 60)
            planned = (dataclasses.replace(planned[0], step=step), *planned[1:])
        if "job" in limits:
            job = dataclasses.replace(job, timeout_minutes=limits["job"] / 60)
        stage = dataclasses.replace(stage, jobs=(job,))
        pipeline = dataclasses.replace(prepared.pipeline, stages=(stage,))
        plan = {(stage.name, job.name): planned}
        return dataclasses.replace(prepared, pipeline=pipeline, plan=plan)

    return change
