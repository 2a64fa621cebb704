"""Tasks of a .vsix: what their process sees, and what is refused before anything runs."""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path

import pytest

from local.agent.errors import AgentError
from local.agent.host.tasks import find, read_tasks, unpack

INPUTS = [
    {
        "name": "connectedServiceNameARM",
        "aliases": ["azureSubscription"],
        "type": "connectedService:AzureRM",
    },
    {"name": "who", "type": "string", "defaultValue": "  world "},
    {"name": "flag", "type": "boolean", "defaultValue": True},
    {"name": "number", "type": "string", "defaultValue": 3},
    {"name": "file", "type": "filePath"},
    {"name": "none", "type": "string"},
]
DUMP = """
    const fs = require('fs');
    fs.writeFileSync(process.env.DUMP, JSON.stringify({
      env: process.env, cwd: process.cwd(), argv: process.argv, stdin: fs.readFileSync(0, 'utf8'),
    }));
"""


@pytest.fixture
def dump(play, make_vsix, task_json, tmp_path):
    """Run a task that writes down all it sees."""

    def run(text, **options):
        path = tmp_path / "dump.json"
        vsix = make_vsix((task_json("Dump", inputs=INPUTS), {"main.js": DUMP}))
        played = play(text.replace("DUMP_FILE", str(path)), vsix=vsix, **options)
        assert played.result == "succeeded", played.console
        return json.loads(path.read_text())

    return run


STEP = """
variables:
  name.with dots: v
  greeting: hello $(name.with dots)
  overridden: variable
steps:
- script: |
    echo '##vso[task.setvariable variable=hidden;issecret=true]hush-hush'
    echo '##vso[task.setvariable variable=Kept;preservecase=true]k'
    echo '##vso[task.prependpath]/first'
    echo '##vso[task.prependpath]/second'
- task: dump@1
  name: dump
  inputs:
    azureSubscription: aml-connection
    WHO: "  $(greeting) $(nosuch) $(FROM_AGENT)  "
    file: sub/../file.txt
  env:
    OVERRIDDEN: step
    OWN: $(greeting)
    DUMP: DUMP_FILE
"""


@pytest.fixture
def seen(dump, monkeypatch):
    monkeypatch.setenv("FROM_AGENT", "agent's")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "localhost,.example.com")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/ca.pem")
    return dump(STEP)


def test_inputs(seen):
    found = {name: value for name, value in seen["env"].items() if name.startswith("INPUT_")}
    sources = seen["env"]["BUILD_SOURCESDIRECTORY"]
    connection = found.pop("INPUT_CONNECTEDSERVICENAMEARM")
    assert f"ENDPOINT_URL_{connection}" in seen["env"]
    assert found == {
        "INPUT_WHO": "hello v $(nosuch) agent's",
        "INPUT_FLAG": "true",
        "INPUT_NUMBER": "3",
        "INPUT_FILE": str(Path(sources) / "file.txt"),
        "INPUT_NONE": "",
    }


def test_the_connection(seen, connection_settings):
    environment = seen["env"]
    key = environment["INPUT_CONNECTEDSERVICENAMEARM"]
    assert environment[f"ENDPOINT_URL_{key}"] == "https://management.azure.com/"
    assert environment[f"ENDPOINT_AUTH_SCHEME_{key}"] == "ServicePrincipal"
    authorization = json.loads(environment[f"ENDPOINT_AUTH_{key}"])
    assert authorization == {
        "parameters": {
            "tenantid": connection_settings["AZURE_TENANT_ID"],
            "serviceprincipalid": connection_settings["AZURE_CLIENT_ID"],
            "authenticationType": "spnKey",
            "serviceprincipalkey": connection_settings["AZURE_CLIENT_SECRET"],
        },
        "scheme": "ServicePrincipal",
    }
    for name, value in authorization["parameters"].items():
        assert environment[f"ENDPOINT_AUTH_PARAMETER_{key}_{name.upper()}"] == value
    assert (
        environment[f"ENDPOINT_DATA_{key}_SUBSCRIPTIONID"]
        == connection_settings["AML_SUBSCRIPTION_ID"]
    )
    assert json.loads(environment[f"ENDPOINT_DATA_{key}"])["environment"] == "AzureCloud"
    system = json.loads(environment["ENDPOINT_AUTH_SYSTEMVSSCONNECTION"])
    assert system["parameters"]["AccessToken"] == environment["SECRET_SYSTEM_ACCESSTOKEN"]


def test_variables(seen):
    environment = seen["env"]
    assert environment["NAME_WITH_DOTS"] == "v"
    assert environment["GREETING"] == "hello v"
    assert environment["Kept"] == "k"
    assert environment["SECRET_HIDDEN"] == "hush-hush"
    assert "HIDDEN" not in environment
    assert environment["OVERRIDDEN"] == "variable"
    assert environment["OWN"] == "hello v"
    assert environment["TF_BUILD"] == "True"
    assert environment["agent.jobstatus"] == environment["AGENT_JOBSTATUS"] == "Succeeded"
    assert {"greeting", "name.with dots"} <= set(json.loads(environment["VSTS_PUBLIC_VARIABLES"]))
    assert {"hidden", "System.AccessToken"} == set(json.loads(environment["VSTS_SECRET_VARIABLES"]))
    assert environment["PATH"].split(os.pathsep)[:2] == ["/second", "/first"]


def test_predefined_variables(seen):
    environment = seen["env"]
    expected = {
        "SYSTEM_HOSTTYPE": "build",
        "SYSTEM_STAGENAME": "__default",
        "SYSTEM_JOBNAME": "Job",
        "SYSTEM_TASKINSTANCENAME": "dump",
        "BUILD_REASON": "Manual",
        "BUILD_DEFINITIONNAME": "azure-pipelines",
        "AGENT_PROXYURL": "http://127.0.0.1:9",
        "AGENT_PROXYBYPASSLIST": json.dumps(["localhost", "\\.example\\.com"]),
        "AGENT_CAINFO": "/ca.pem",
    }
    assert {name: environment[name] for name in expected} == expected
    workspace = Path(environment["PIPELINE_WORKSPACE"])
    assert environment["AGENT_BUILDDIRECTORY"] == str(workspace)
    assert Path(environment["BUILD_SOURCESDIRECTORY"]) == workspace / "s"
    assert environment["SYSTEM_DEFAULTWORKINGDIRECTORY"] == environment["BUILD_SOURCESDIRECTORY"]
    assert environment["VSTS_PROCESS_LOOKUP_ID"].startswith("vsts_")


def test_the_agents_own_settings_are_not_handed_on(seen, connection_settings):
    assert not set(connection_settings) & set(seen["env"])


def test_the_process(seen, connection_settings):
    assert seen["cwd"] == seen["env"]["SYSTEM_DEFAULTWORKINGDIRECTORY"]
    assert len(seen["argv"]) == 2
    assert seen["stdin"] == ""
    assert connection_settings["AZURE_CLIENT_SECRET"] not in " ".join(seen["argv"])


def test_an_empty_file_path_is_the_sources(dump):
    environment = dump("steps:\n- task: Dump@1\n  env: {DUMP: DUMP_FILE}\n")["env"]
    assert environment["INPUT_FILE"] == environment["BUILD_SOURCESDIRECTORY"]
    assert not [
        name for name in environment if name.startswith("ENDPOINT_URL_") and "SYS" not in name
    ]


def test_trimming_can_be_switched_off(dump):
    environment = dump(
        "steps:\n- task: Dump@1\n  inputs: {none: ' x '}\n  env: {DUMP: DUMP_FILE}\n",
        variables={"DISABLE_INPUT_TRIMMING": "true"},
    )["env"]
    assert (environment["INPUT_WHO"], environment["INPUT_NONE"]) == ("  world ", " x ")


@pytest.mark.parametrize(
    "reference", ["Dump@1", "dump@1", "acme.tests.DumpV1.Dump@1", "Dump@1.2.3"]
)
def test_ways_to_name_a_task(make_vsix, task_json, reference):
    tasks = read_tasks(make_vsix((task_json("Dump"), {})))
    found = find(tasks, reference)
    assert found is not None
    assert found.label == "Dump@1"
    assert find(tasks, f"{found.identity}@1") == found


@pytest.mark.parametrize("reference", ["Dump@2", "Dum@1", "Dump@1.3", "other.tests.DumpV1.Dump@1"])
def test_other_names_find_nothing(make_vsix, task_json, reference):
    assert find(read_tasks(make_vsix((task_json("Dump"), {}))), reference) is None


def test_the_newest_of_a_major_is_taken(make_vsix, task_json):
    versions = [{"Major": 1, "Minor": minor, "Patch": 0} for minor in (2, 10, 9)]
    tasks = read_tasks(
        make_vsix(*[(task_json(f"T{n}", version=v), {}) for n, v in enumerate(versions)])
    )
    renamed = [type(task)(**{**vars(task), "name": "T"}) for task in tasks]
    found = find(renamed, "T@1")
    assert found is not None
    assert found.version == (1, 10, 0)


# step, part of the refusal
REFUSALS = [
    (
        "task: Dumb@1",
        "the task 'Dumb@1' is neither in the .vsix nor built in; did you mean 'Dump@1'?",
    ),
    ("task: Dump@2", "did you mean 'Dump@1'?"),
    ("task: PublishTestResults@2", "Available: Dump@1, Old@1, checkout, Bash@3"),
    ("task: Old@1", "the task Old@1 has no execution handler for Node24 or Node20_1"),
    (
        "{task: Dump@1, inputs: {azureSubscription: other}}",
        "input azureSubscription references service connection other which could not be found",
    ),
    ("{task: Dump@1, inputs: {azureSubscription: $(c)}}", "service connection nope"),
]


@pytest.mark.parametrize(("step", "part"), REFUSALS)
def test_refused_before_anything_runs(play, make_vsix, task_json, tmp_path, step, part):
    old = task_json("Old", execution={"Node16": {"target": "main.js"}}, id="x")
    vsix = make_vsix((task_json("Dump", inputs=INPUTS), {}), (old, {}))
    with pytest.raises(AgentError) as caught:
        play(f"variables: {{c: nope}}\nsteps:\n- {step}\n", vsix=vsix)
    assert str(caught.value).startswith(f"{tmp_path / 'repository' / 'azure-pipelines.yml'}:3: ")
    assert part in str(caught.value)
    assert not (tmp_path / "work").exists()


def test_no_connection_at_all(play, make_vsix, task_json, monkeypatch):
    vsix = make_vsix((task_json("Dump", inputs=INPUTS), {}))
    text = "steps:\n- {task: Dump@1, inputs: {azureSubscription: aml-connection}}\n"
    monkeypatch.setattr("local.agent.host.connection.from_environment", lambda *_: ())
    with pytest.raises(AgentError, match="set AZURE_TENANT_ID, AZURE_CLIENT_ID"):
        play(text, vsix=vsix)


def test_broken_extensions(tmp_path, make_vsix, task_json):
    bad = tmp_path / "bad.vsix"
    bad.write_text("no zip")
    with pytest.raises(AgentError, match=r"is not a readable \.vsix"):
        read_tasks(bad)
    with pytest.raises(AgentError, match=r"is not a readable \.vsix"):
        read_tasks(tmp_path / "none.vsix")
    with pytest.raises(AgentError, match=r"has no task\.json"):
        read_tasks(make_vsix())
    with pytest.raises(AgentError, match=r"task\.json cannot be used"):
        read_tasks(make_vsix(({"name": "x", "version": {"Major": 1}}, {})))


def test_an_archive_cannot_leave_its_folder(tmp_path, make_vsix, task_json):
    vsix = make_vsix((task_json("Evil"), {}))
    with zipfile.ZipFile(vsix, "a") as archive:
        archive.writestr("tasks/EvilV1/../../../outside.txt", "x")
    with pytest.raises(AgentError, match="would leave its folder"):
        unpack(vsix, read_tasks(vsix), tmp_path / "unpacked")
    assert not (tmp_path / "outside.txt").exists()


def test_pre_and_post_job_executions(play, make_vsix, task_json):
    handler = {"Node20_1": {"target": "main.js"}}
    script = "console.log(process.env.INPUT_WHO, process.env.VSTS_TASKVARIABLE_X || 'unset');"
    script += "console.log('##vso[task.settaskvariable variable=x]' + process.env.INPUT_WHO);"
    document = task_json(
        "Both", inputs=INPUTS[1:2], prejobexecution=handler, postjobexecution=handler
    )
    played = play(
        """
        steps:
        - {task: Both@1, name: a, inputs: {who: a}}
        - {task: Both@1, name: b, inputs: {who: b}}
        - script: exit 1
          name: c
        """,
        vsix=make_vsix((document, {"main.js": script})),
    )
    order = [(step["name"], step["displayName"]) for step in played.document["steps"]]
    assert order == [
        ("a", "Pre-job: Both"),
        ("b", "Pre-job: Both"),
        ("__checkout", "Checkout"),
        ("a", "Both"),
        ("b", "Both"),
        ("c", "CmdLine"),
        ("b", "Post-job: Both"),
        ("a", "Post-job: Both"),
    ]
    assert played.lines("a") == ["a unset", "a a", "a a"]
    assert played.result == "failed"


def test_node_is_needed_only_for_tasks(play, make_vsix, task_json, monkeypatch, tmp_path):
    (tmp_path / "bin").mkdir()
    for name in ("bash", "git"):
        (tmp_path / "bin" / name).symlink_to(f"/usr/bin/{name}")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert play("steps:\n- checkout: none\n- script: echo\n").result == "succeeded"
    vsix = make_vsix((task_json("Dump"), {}))
    with pytest.raises(AgentError, match="Node was not found on PATH"):
        play("steps:\n- task: Dump@1\n", vsix=vsix)
    node = tmp_path / "bin" / "node"
    node.write_text("#!/usr/bin/bash\necho v18.1.0\n")
    node.chmod(0o755)
    with pytest.raises(AgentError, match=r"is v18\.1\.0; install Node 20 or later"):
        play("steps:\n- task: Dump@1\n", vsix=vsix)
