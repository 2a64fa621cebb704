"""What the jobs of one run share."""

from __future__ import annotations

import pytest

from local.agent.errors import AgentError
from local.agent.session.session import Cancellation


def test_the_first_interrupt_cancels_and_the_second_kills():
    cancellation = Cancellation()
    assert not cancellation.requested.is_set()
    cancellation.interrupt()
    assert cancellation.requested.is_set()
    assert not cancellation.killed.is_set()
    cancellation.interrupt()
    assert cancellation.killed.is_set()


def test_a_build_is_called_by_its_number_and_a_release_by_its_name(session):
    assert session.title == "#20260102.1"
    session.predefined = {"Release.ReleaseName": "Release-3"}
    assert (session.title, session.build_number) == ("Release-3", "")


def test_attachments_of_one_name_are_all_kept(session, tmp_path):
    kept = []
    for text in ("one", "two", "three"):
        file = tmp_path / "report.md"
        file.write_text(text)
        kept.append(session.attach(file, "summary", "gate"))
    assert [file.read_text() for file in kept] == ["one", "two", "three"]
    assert {file.name for file in kept} == {"report.md"}


def test_an_artifact_holds_a_file_or_the_contents_of_a_folder(session, tmp_path):
    folder = tmp_path / "out"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "model.onnx").write_text("m")
    published = session.publish(folder, "model")
    assert (published / "deep" / "model.onnx").read_text() == "m"
    file = session.publish(folder / "deep" / "model.onnx", "file", below="in")
    assert (file / "in" / "model.onnx").read_text() == "m"
    assert list(session.artifacts) == ["model", "file"]


@pytest.mark.parametrize(
    ("name", "source", "words"),
    [
        ("a/b", "out", "'a/b' cannot name an artifact"),
        ("..", "out", "cannot name an artifact"),
        ("taken", "out", "Artifact taken already exists for build 20260102.1."),
        ("new", "gone", "Path does not exist"),
    ],
)
def test_what_cannot_be_published(session, tmp_path, name, source, words):
    (tmp_path / "out").mkdir()
    session.publish(tmp_path / "out", "taken")
    with pytest.raises(AgentError, match=words):
        session.publish(tmp_path / source, name)
    assert list(session.artifacts) == ["taken"]


def test_a_step_may_add_to_an_artifact(session, tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).write_text(name)
        session.publish(tmp_path / name, "drop", merge=True)
    assert sorted(file.name for file in session.artifacts["drop"].iterdir()) == ["a", "b"]
