"""Stages and jobs: order, conditions, and variables handed from one to the other."""

from __future__ import annotations


def by_name(played):
    return {stage["name"]: stage["result"] for stage in played.document["stages"]}


OUTPUTS = """
stages:
- stage: make
  jobs:
  - job: a
    steps:
    - checkout: none
    - script: |
        echo '##vso[task.setvariable variable=x;isoutput=true]42'
        echo '##vso[task.setvariable variable=s;isoutput=true;issecret=true]hush-hush'
      name: set
    - script: echo '$(set.x) $(x)'
      name: same
  - job: b
    dependsOn: a
    condition: and(succeeded(), eq(dependencies.a.outputs['set.x'], 42))
    variables:
      fromA: $[ dependencies.a.outputs['set.x'] ]
      result: $[ dependencies.a.result ]
      plus: $[ format('{0}!', variables.fromA) ]
    steps:
    - checkout: none
    - script: echo $(fromA) $(result) $(plus)
      name: other
- stage: use
  condition: and(succeeded(), eq(dependencies.make.outputs['a.set.x'], '42'))
  variables:
    x: $[ stageDependencies.make.a.outputs['set.x'] ]
    secret: $[ stageDependencies.make.a.outputs['set.s'] ]
    missing: $[ stageDependencies.make.a.outputs['set.nosuch'] ]
  jobs:
  - job: c
    condition: eq(stageDependencies.make.b.result, 'Succeeded')
    steps:
    - checkout: none
    - script: echo $(x) [$(missing)] $(secret)
      name: across
- stage: not_wanted
  dependsOn: make
  condition: ne(dependencies.make.result, 'Succeeded')
  jobs:
  - job: d
    steps:
    - script: echo
      name: never
"""


def test_outputs_travel(play):
    played = play(OUTPUTS)
    assert played.lines("same") == ["42 $(x)"]
    assert played.lines("other") == ["42 Succeeded 42!"]
    assert played.lines("across") == ["42 [] ***"]
    assert by_name(played) == {"make": "succeeded", "use": "succeeded", "not_wanted": "skipped"}
    assert played.results["never"] == "skipped"
    assert played.result == "succeeded"
    assert played.step("set")["outputs"] == {"x": "42"}


GRAPH = """
stages:
- stage: first
  jobs:
  - job: bad
    steps: [{checkout: none}, {script: exit 1, name: bad}]
  - job: independent
    steps: [{checkout: none}, {script: echo, name: independent}]
  - job: after_bad
    dependsOn: bad
    steps: [{checkout: none}, {script: echo, name: after_bad}]
  - job: far_after_bad
    dependsOn: after_bad
    condition: failed()
    steps: [{checkout: none}, {script: echo, name: far_after_bad}]
- stage: second
  jobs: [{job: j, steps: [{checkout: none}, {script: echo, name: second}]}]
- stage: third
  condition: always()
  jobs: [{job: j, steps: [{checkout: none}, {script: echo, name: third}]}]
- stage: alone
  dependsOn: []
  jobs: [{job: j, steps: [{checkout: none}, {script: echo, name: alone}]}]
"""


def test_failures_stop_what_depends_on_them(play):
    played = play(GRAPH)
    assert played.results == {
        "bad": "failed",
        "independent": "succeeded",
        "after_bad": "skipped",
        "far_after_bad": "succeeded",
        "second": "skipped",
        "third": "succeeded",
        "alone": "succeeded",
    }
    expected = {"first": "failed", "second": "skipped", "third": "succeeded", "alone": "succeeded"}
    assert by_name(played) == expected
    assert played.result == "failed"


def test_jobs_run_after_those_they_depend_on(play):
    played = play(
        """
        jobs:
        - job: last
          dependsOn: [middle, first]
          steps: [{checkout: none}, {script: echo, name: last}]
        - job: middle
          dependsOn: first
          steps: [{checkout: none}, {script: echo, name: middle}]
        - job: first
          steps: [{checkout: none}, {script: echo, name: first}]
        """
    )
    lines = [line for line in played.console.splitlines() if " step " in line]
    assert [line.split()[2].rstrip(":") for line in lines] == ["first", "middle", "last"]


def test_a_job_may_fail_without_failing_the_run(play):
    played = play(
        """
        jobs:
        - job: a
          continueOnError: true
          steps: [{checkout: none}, {script: exit 1}]
        - job: b
          dependsOn: a
          steps: [{checkout: none}, {script: echo, name: b}]
        """
    )
    assert played.results["b"] == "succeeded"
    assert played.result == "succeededWithIssues"


def test_deployment_outputs_carry_the_job_name_twice(play):
    played = play(
        """
        jobs:
        - deployment: web
          environment: prod
          strategy:
            runOnce:
              deploy:
                steps:
                - script: echo "##vso[task.setvariable variable=x;isoutput=true]$ENVIRONMENT_NAME"
                  name: set
        - job: after
          dependsOn: web
          variables:
            x: $[ dependencies.web.outputs['web.set.x'] ]
          steps: [{checkout: none}, {script: echo $(x), name: after}]
        """
    )
    assert played.lines("after") == ["prod"]


def test_variables_of_nearer_levels_win(play):
    played = play(
        """
        variables: {a: root, b: root, c: root}
        stages:
        - stage: s
          variables: {b: stage, c: stage}
          jobs:
          - job: j
            variables:
            - {name: c, value: job, readonly: true}
            steps:
            - checkout: none
            - script: echo $(a) $(b) $(c) && echo '##vso[task.setvariable variable=c]x'
              name: s
        """.replace(
            "- script: echo $(a) $(b) $(c) && echo '##vso[task.setvariable variable=c]x'",
            "- script: \"echo $(a) $(b) $(c) && echo '##vso[task.setvariable variable=c]x'\"",
        ),
        variables={"a": "line", "b": "line"},
    )
    assert played.lines("s")[0] == "line stage job"
    assert "Overwriting readonly variable 'c'" in played.step("s")["issues"][0]["message"]
