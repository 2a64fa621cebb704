"""Tasks of the service that the agent carries out itself."""

from __future__ import annotations

import pytest

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
