"""Reuse of earlier outputs, on and off, as the unmodified SDK sees it."""

import time
from pathlib import Path
from typing import Any

import pytest

from tests.patience import PATIENCE_S


@pytest.fixture(scope="module")
def submit(ml_client: Any, bare_python: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Submit a pipeline of two nodes; what each writes is another text every time it runs."""
    from azure.ai.ml import Input, Output, command, dsl

    def step(name: str, *, deterministic: bool = True) -> Any:
        return command(
            name=name,
            command="echo ${{inputs.text}} $(cat /proc/sys/kernel/random/uuid) > ${{outputs.told}}",
            environment=bare_python,
            inputs={"text": Input(type="string"), "before": Input(type="uri_file", optional=True)},
            outputs={"told": Output(type="uri_file")},
            is_deterministic=deterministic,
        )

    def begin(text: str = "a", *, force_rerun: bool = False, deterministic: bool = True) -> str:
        first, second = step("first", deterministic=deterministic), step("second")

        @dsl.pipeline(default_compute="serverless")
        def pipeline(text: str) -> Any:
            one = first(text=text)
            two = second(text="b", before=one.outputs.told)
            return {"last": two.outputs.told}

        asked = pipeline(text=text)
        asked.settings.force_rerun = force_rerun
        return str(ml_client.jobs.create_or_update(asked).name)

    def ended(name: str) -> tuple[dict[str, Any], str]:
        """The nodes by their names, and what the pipeline's output says."""
        deadline = time.monotonic() + PATIENCE_S
        while (job := ml_client.jobs.get(name)).status not in ("Completed", "Failed"):
            assert time.monotonic() < deadline
            time.sleep(0.2)
        assert job.status == "Completed"
        folder = tmp_path_factory.mktemp("last")
        ml_client.jobs.download(name, download_path=folder, output_name="last")
        (file,) = (path for path in Path(folder).rglob("*") if path.is_file())
        nodes = ml_client.jobs.list(parent_job_name=name)
        return {node.display_name: node for node in nodes}, file.read_text()

    return begin, ended


def origin(node: Any) -> str | None:
    reused = node.properties.get("azureml.isreused") == "true"
    return node.properties["azureml.reusedrunid"] if reused else None


def test_reuse(ml_client: Any, submit: Any, tmp_path: Path) -> None:
    begin, ended = submit
    nodes, told = ended(begin())
    assert {origin(node) for node in nodes.values()} == {None}
    again, told_again = ended(begin())
    assert told_again == told
    assert {name: origin(node) for name, node in again.items()} == {
        "one": nodes["one"].name,
        "two": nodes["two"].name,
    }
    # Whoever asks for a reused node's logs gets those of the node that ran.
    ml_client.jobs.download(again["one"].name, download_path=tmp_path, all=True)
    assert list(tmp_path.rglob("std_log.txt"))

    names = [begin(force_rerun=True), begin("c"), begin(deterministic=False)]
    for name in names:
        other, told_other = ended(name)
        assert told_other != told
        assert {origin(node) for node in other.values()} == {None}
