"""Tasks of the service that the agent carries out itself."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from local.agent.errors import AgentError
from local.agent.host.python_versions import find_python, python_folders, satisfies


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


ARTIFACTS = """
jobs:
- job: make
  steps:
  - checkout: none
  - bash: mkdir -p out/deep && echo 1 > out/a.txt && echo 2 > out/deep/b.txt && echo 3 > out/c.md
  - publish: out
    artifact: drop
  - publish: out/a.txt
    artifact: single
  - task: PublishBuildArtifacts@1
    inputs: {PathtoPublish: out, ArtifactName: classic}
  - publish: out
    artifact: drop
    name: again
    continueOnError: true
  - publish: nothing
    artifact: other
    name: missing
    continueOnError: true
- job: use
  dependsOn: make
  steps:
  - checkout: none
  - download: current
    artifact: drop
  - task: DownloadPipelineArtifact@2
    inputs: {artifact: drop, path: picked, patterns: '**/*.txt'}
  - task: CopyFiles@2
    inputs:
      SourceFolder: $(Pipeline.Workspace)/drop
      Contents: |
        **
        !**/*.md
      TargetFolder: flat
      flattenFolders: true
  - script: cd $(Pipeline.Workspace); find drop s picked -type f | sort
    name: files
  - download: current
    artifact: nosuch
    name: unknown
    continueOnError: true
- job: all
  dependsOn: make
  steps:
  - checkout: none
  - download: current
  - script: cd $(Pipeline.Workspace); find classic drop single -type f | wc -l
    name: count
"""


def test_artifacts(play):
    played = play(ARTIFACTS)
    assert played.lines("files") == [
        "drop/a.txt",
        "drop/c.md",
        "drop/deep/b.txt",
        "picked/a.txt",
        "picked/deep/b.txt",
        "s/flat/a.txt",
        "s/flat/b.txt",
    ]
    assert played.lines("count") == ["7"]
    assert set(played.document["artifacts"]) == {"drop", "single", "classic"}
    again, missing, unknown = (
        played.step(name)["issues"][0]["message"] for name in ("again", "missing", "unknown")
    )
    assert again.startswith("Artifact drop already exists for build")
    assert missing.startswith("Path does not exist")
    assert "Artifact nosuch was not found in this run (published: drop, single" in unknown
    assert played.result == "succeededWithIssues"


@pytest.mark.parametrize(
    ("version", "spec", "expected"),
    [
        ("3.11.7", "3.x", True),
        ("3.11.7", "3.11", True),
        ("3.11.7", "3.11.x", True),
        ("3.11.7", "3.1", False),
        ("3.11.7", "3.11.6", False),
        ("3.11.7", ">=3.10 <3.12", True),
        ("3.12.0", ">=3.10 <3.12", False),
        ("3.11.7", "~3.11.5", True),
        ("3.11.7", "^3.9", True),
        ("3.11.7", "latest", False),
    ],
)
def test_version_ranges(version, spec, expected):
    assert satisfies(version, spec) is expected


def test_use_python_version(play):
    mine = f"{sys.version_info[0]}.{sys.version_info[1]}"
    played = play(
        f"""
        steps:
        - task: UsePythonVersion@0
          name: py
          inputs: {{versionSpec: '{mine}'}}
        - script: |
            python -c 'import sys; print("%d.%d" % sys.version_info[:2])'
            python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])'
            ls $(pythonLocation)/bin | grep -c '^python3*$'
          name: s
        """
    )
    assert played.lines("s") == [mine, mine, "2"]


def test_an_interpreter_alone_in_its_folder_gets_both_names(tmp_path):
    interpreter = tmp_path / "bin" / "python3.99"
    interpreter.parent.mkdir()
    interpreter.touch()
    location, folders = python_folders(interpreter, "3.99.0", tmp_path / "tools")
    assert folders == [location, location / "bin"]
    for name in ("python", "python3"):
        assert os.path.realpath(location / "bin" / name) == str(interpreter)


def test_no_python_in_the_range(tmp_path):
    with pytest.raises(AgentError, match=r"Version spec 2\.7 does not match any Python"):
        find_python("2.7", tmp_path, os.environ["PATH"])


@pytest.mark.parametrize(
    ("step", "part"),
    [
        ("bash: echo\n  workingDirectory: none", "Not found workingDirectory"),
        ("task: Bash@3\n  inputs: {filePath: none.sh}", "Invalid file path"),
        ("pwsh: echo", "'pwsh' was not found on PATH"),
        ("publish: .\n  artifact: a/b", "'a/b' cannot name an artifact"),
        ("publish: .\n  artifact: ..", "'..' cannot name an artifact"),
        ("task: CopyFiles@2", "the input TargetFolder is empty"),
    ],
)
def test_one_sentence_for_what_goes_wrong(play, monkeypatch, step, part):
    monkeypatch.setattr(
        "local.agent.job.handlers.shutil.which", lambda n: None if n == "pwsh" else n
    )
    played = play(f"steps:\n- {step}\n  name: s\n")
    assert played.results["s"] == "failed"
    (issue,) = played.step("s")["issues"]
    assert part in issue["message"]


def test_a_script_file_with_arguments(play, pipeline_file):
    (pipeline_file("").parent / "script.sh").write_text('echo "$# $1 $2"\n')
    played = play(
        "steps:\n- task: Bash@3\n  name: s\n"
        "  inputs: {filePath: script.sh, arguments: \"one 'two three'\"}\n"
    )
    assert played.lines("s") == ["2 one two three"]
