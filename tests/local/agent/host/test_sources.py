"""Checking out: a clone with the files as they are on disk."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest


def git(folder, *arguments):
    identity = ["-c", "user.name=Tester", "-c", "user.email=t@example.com"]
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def repository(pipeline_file):
    """A git repository with a tracked, an untracked, an ignored and a deleted file."""
    folder = pipeline_file("").parent
    git(folder, "init", "--initial-branch", "trunk")
    (folder / "sub").mkdir()
    for name in ("tracked.txt", "sub/tracked.txt", "deleted.txt"):
        (folder / name).write_text("committed")
    (folder / ".gitignore").write_text("ignored.txt\n")
    git(folder, "add", ".")
    git(folder, "commit", "-m", "The first one\n\nbody")
    git(folder, "remote", "add", "origin", "https://me:password@example.com/r.git")
    (folder / "tracked.txt").write_text("changed")
    (folder / "deleted.txt").unlink()
    for name in ("untracked é.txt", "ignored.txt"):
        (folder / name).write_text("new")
    return folder


def test_checkout_copies_what_git_would_see(play, repository):
    played = play(
        """
        steps:
        - script: find . -name .git -prune -o -type f -print | sort; cat tracked.txt
          name: files
        - script: |
            echo $BUILD_SOURCEBRANCH $BUILD_SOURCEBRANCHNAME $BUILD_SOURCEVERSIONAUTHOR
            echo $BUILD_SOURCEVERSION $BUILD_SOURCEVERSIONMESSAGE
            echo $BUILD_REPOSITORY_NAME $BUILD_REPOSITORY_URI
          name: facts
        """
    )
    expected = ["./.gitignore", "./azure-pipelines.yml", "./sub/tracked.txt", "./tracked.txt"]
    assert played.lines("files") == [*expected, "./untracked é.txt", "changed"]
    head = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=repository, capture_output=True, text=True, check=True
    ).stdout.strip()
    assert played.lines("facts") == [
        "refs/heads/trunk trunk Tester",
        f"{head} The first one",
        "repository https://example.com/r.git",
    ]


def test_checkout_is_a_clone_at_a_commit_with_local_changes(play, repository):
    played = play(
        """
        steps:
        - script: |
            git log -1 --pretty=%s
            git rev-parse --abbrev-ref HEAD
            git remote get-url origin
            git for-each-ref --format='%(refname)' refs/heads refs/remotes/origin/trunk
            git status --porcelain
          name: git
        """
    )
    assert played.lines("git") == [
        "The first one",
        "HEAD",
        "https://example.com/r.git",
        "refs/remotes/origin/trunk",
        " M azure-pipelines.yml",
        " D deleted.txt",
        " M tracked.txt",
        '?? "untracked \\303\\251.txt"',
    ]


def test_checkout_takes_as_much_history_as_asked_for(play, repository):
    git(repository, "commit", "--allow-empty", "-m", "The second one")
    git(repository, "tag", "v1")
    steps = "- script: git rev-list --count HEAD; git tag\n  name: s\n"
    assert play(f"steps:\n- checkout: self\n{steps}").lines("s") == ["2", "v1"]
    played = play(f"steps:\n- checkout: self\n  fetchDepth: 1\n  fetchTags: false\n{steps}")
    assert played.lines("s") == ["1"]
    assert play("steps:\n- checkout: self\n  fetchDepth: $(x)\n").result == "failed"


def test_checkout_of_a_repository_without_commits(play, pipeline_file):
    git(pipeline_file("").parent, "init")
    assert play("steps:\n- script: ls\n  name: s\n").lines("s") == ["azure-pipelines.yml"]


LAST_COMMIT = """
jobs:
- job: Look
  steps:
  - bash: |
      message="$(git log -1 --pretty=%s)"
      echo "##vso[task.setvariable variable=message;isOutput=true]$message"
    name: last
- job: Main
  dependsOn: Look
  condition: not(contains(dependencies.Look.outputs['last.message'], '[no build]'))
  steps: [{checkout: none}, {bash: 'true', name: main}]
"""


@pytest.mark.parametrize(("message", "result"), [("x", "succeeded"), ("x [No Build]", "skipped")])
def test_the_last_commit_can_decide(play, repository, message, result):
    git(repository, "commit", "--allow-empty", "-m", message)
    assert play(LAST_COMMIT).results["main"] == result


def test_checkout_without_git_copies_the_folder(play, pipeline_file):
    folder = pipeline_file("").parent
    (folder / "sub").mkdir()
    (folder / "sub" / "file.txt").write_text("x")
    played = play("steps:\n- checkout: self\n- script: ls sub\n  name: s\n")
    assert played.lines("s") == ["file.txt"]


def test_checkout_to_a_path(play):
    played = play(
        """
        steps:
        - checkout: self
          path: here
        - script: pwd; echo $(Build.SourcesDirectory); ls
          name: s
        """
    )
    first, second, third = played.lines("s")
    assert first == second == str(Path(played.document["folder"]) / "_work" / "1" / "here")
    assert third == "azure-pipelines.yml"
    assert play("steps:\n- checkout: self\n  path: ../..\n").result == "failed"
