"""The hand-over: what Python is given, what stays hidden, what becomes a command, how it ends."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from extension.package import CLEAN_UP, LAUNCHER
from tests.tasks.launcher.harness import CONNECTION, JOB_TOKEN, KEY, Launcher, finish

SUCCEED = "send(type='result', result='Succeeded', message='done')\n"


def test_the_document_holds_inputs_connection_and_public_variables(launcher: Launcher) -> None:
    # Not printed: the launcher takes the key out of what is shown.
    code = "open('document.json', 'w').write(json.dumps(document))\n" + SUCCEED
    launcher.run(code, inputs={"computeName": ""})
    document = json.loads((launcher.sources / "document.json").read_text())
    assert document == {
        "task": "Fake",
        "inputs": {"code": code, "computeName": ""},
        "connection": {
            "id": CONNECTION,
            "url": "https://management.azure.com/",
            "scheme": "ServicePrincipal",
            "parameters": {
                "tenantid": "tenant",
                "serviceprincipalid": "client",
                "authenticationtype": "spnKey",
                "serviceprincipalkey": KEY,
            },
            "data": {"subscriptionid": "subscription", "environment": "AzureCloud"},
        },
        "variables": {
            "agent.toolsdirectory": str(launcher.tools),
            "agent.tempdirectory": str(launcher.temp),
            "build.buildnumber": "20261123.4",
            "build.sourcebranch": "refs/heads/main",
        },
        "accessToken": "",
    }


def test_after_the_job_python_cleans_up_where_there_is_something(launcher: Launcher) -> None:
    (launcher.folder / CLEAN_UP).write_text(f"require('./{LAUNCHER}');\n")
    about = json.loads((launcher.folder / "task.json").read_text())
    about["inputs"].append({"name": "lifecycle", "type": "string"})
    (launcher.folder / "task.json").write_text(json.dumps(about))
    code = "print('phase', document.get('phase'))\n" + SUCCEED
    for lifecycle, found in (("perRun", "phase cleanUp"), ("reuse", ""), ("", "")):
        inputs = {"lifecycle": lifecycle} if lifecycle else {}
        outcome = finish(launcher.start(code, inputs=inputs, program=CLEAN_UP))
        assert outcome.result[0] == "Succeeded"
        assert ("phase" in outcome.log) is bool(found)
        assert found in outcome.log
    outcome = launcher.run(code, inputs={"lifecycle": "perRun"})
    assert "phase None" in outcome.log


def test_the_jobs_token_goes_to_tasks_that_need_it_only(launcher: Launcher) -> None:
    def given(**env: str | None) -> str:
        outcome = launcher.run("print(len(document['accessToken']))\n" + SUCCEED, env=env)
        assert JOB_TOKEN not in outcome.stdout + outcome.stderr
        return outcome.log.splitlines()[-1]

    federated = {"scheme": "WorkloadIdentityFederation", "parameters": {"tenantid": "t"}}
    assert given() == "0"
    assert given(**{f"ENDPOINT_AUTH_{CONNECTION}": json.dumps(federated)}) == str(len(JOB_TOKEN))
    (launcher.folder / "launcher.json").write_text('{"jobToken": true}')
    assert given() == str(len(JOB_TOKEN))
    assert given(ENDPOINT_AUTH_SYSTEMVSSCONNECTION=None) == "0"


@pytest.mark.skipif(not Path("/proc").exists(), reason="looks at processes through /proc")
def test_secrets_reach_no_environment_argument_or_log(launcher: Launcher) -> None:
    code = """
import subprocess
show = "import os, sys; print(dict(os.environ), sys.argv, open('/proc/self/cmdline').read())"
print(dict(os.environ), sys.argv)
subprocess.run([sys.executable, "-c", show], close_fds=False)
with open(f"/proc/{os.getppid()}/cmdline") as launcher, open("/proc/self/cmdline") as own:
    print(launcher.read(), own.read())
"""
    outcome = launcher.run(code + SUCCEED)
    assert outcome.result == ("Succeeded", "done")
    everything = outcome.stdout + outcome.stderr
    assert "PATH" in everything
    for secret in (KEY, JOB_TOKEN, "the-secret-variable", "ENDPOINT_", "INPUT_", "SECRET_"):
        assert secret not in everything


def test_errors_and_warnings_lead_to_the_page_of_codes(launcher: Launcher) -> None:
    (launcher.folder / "launcher.json").write_text('{"support": "https://example.org/codes"}')
    outcome = launcher.run(
        "send(type='issue', level='warning', code='SOME_CODE', message='Look.')\n"
        "send(type='issue', level='error', code='OTHER', message='OTHER: No.')\n"
        "send(type='result', result='Failed', message='OTHER: No.')\n"
    )
    assert [each.data for each in outcome.commands] == [
        "Look. See https://example.org/codes#some_code",
        "OTHER: No. See https://example.org/codes#other",
        "OTHER: No.",
    ]
    died = launcher.run("import os; os._exit(3)\n")
    assert died.commands[0].data.endswith(" See https://example.org/codes#task_died")


def test_messages_become_commands_and_keep_their_texts(launcher: Launcher) -> None:
    text = "50% of [a];b=c\r\nsecond ##vso[task.complete result=Failed]line ä"
    outcome = launcher.run(
        f"text = {text!r}\n"
        "send(type='variable', name='runId', value=text, secret=False, output=True)\n"
        "send(type='variable', name='metric.accuracy', value='0.97', secret=False, output=True)\n"
        "send(type='variable', name='primaryKey', value='k', secret=True, output=True)\n"
        "send(type='secret', value='hidden')\n"
        "send(type='progress', percent=42, text=text)\n"
        "send(type='issue', level='warning', code='SOME_CODE', message=text)\n"
        "send(type='summary', path='reports/a b.md')\n"
        "send(type='attachment', kind='aml', name='n', path='reports/x')\n"
        "send(type='testresults', path='reports/a.xml', title=text)\n" + SUCCEED
    )
    found = [(each.name, dict(each.properties), each.data) for each in outcome.commands]
    assert found == [
        ("task.setvariable", {"variable": "runId", "isOutput": "true", "issecret": "false"}, text),
        (
            "task.setvariable",
            {"variable": "metric.accuracy", "isOutput": "true", "issecret": "false"},
            "0.97",
        ),
        (
            "task.setvariable",
            {"variable": "primaryKey", "isOutput": "true", "issecret": "true"},
            "k",
        ),
        ("task.setsecret", {}, "hidden"),
        ("task.setprogress", {"value": "42"}, text),
        ("task.logissue", {"type": "warning", "code": "SOME_CODE"}, text),
        ("task.uploadsummary", {}, "reports/a b.md"),
        ("task.addattachment", {"type": "aml", "name": "n"}, "reports/x"),
        (
            "results.publish",
            {
                "type": "JUnit",
                "mergeResults": "true",
                "runTitle": text,
                "publishRunAttachments": "true",
                "resultFiles": "reports/a.xml",
            },
            "",
        ),
        ("task.complete", {"result": "Succeeded"}, "done"),
    ]


def test_what_looks_like_a_command_in_the_output_is_neutralised(launcher: Launcher) -> None:
    outcome = launcher.run(
        """
import time
def out(fd, *pieces):
    for piece in pieces:
        os.write(fd, piece.encode())
        time.sleep(0.05)

forged = "##vso[task.setvariable variable=runId]forged"
out(1, "plain ä\\n", "step 3: " + forged + "\\n", forged[:4], forged[4:] + "\\n")
out(1, "#", "#", "v", "so[task.complete result=Failed]x\\n", "##VSO[task.debug]y\\n")
out(1, "10%\\r##vso[task.debug]20%\\r\\n", "###vso[task.debug]z ##vso[task.debug]z\\n")
out(2, "##vso[task.logissue type=error]stderr\\n", "##vs")
out(1, "\\u00e4"[:1], "half a line ##vso[task.complete result=Failed]")
send(type='variable', name='real', value='1')
os.write(1, b"\\xc3"); time.sleep(0.05); os.write(1, b"\\xa4 \\xff ##vso")
"""
        + SUCCEED
    )
    assert [command.name for command in outcome.commands] == ["task.setvariable", "task.complete"]
    assert "##vso[" not in outcome.stderr
    assert "##_vso[task.logissue type=error]stderr\n##vs\n" in outcome.stderr
    for line in (
        "plain ä",
        "step 3: ##_vso[task.setvariable variable=runId]forged",
        "##_vso[task.setvariable variable=runId]forged",
        "##_vso[task.complete result=Failed]x",
        "##_VSO[task.debug]y",
        "###_vso[task.debug]z ##_vso[task.debug]z",
        "ähalf a line ##_vso[task.complete result=Failed]ä \N{REPLACEMENT CHARACTER} ##vso",
    ):
        assert line in outcome.log.splitlines()


def test_a_line_without_end_is_broken_and_stays_neutral(launcher: Launcher) -> None:
    outcome = launcher.run("os.write(1, b'##vso[task.debug]x ' * 20000)\n" + SUCCEED)
    assert [command.name for command in outcome.commands] == ["task.complete"]
    assert outcome.log.count("##_vso[") > 19_990  # a break may fall into a marker


@pytest.mark.parametrize(
    ("code", "result", "errors"),
    [
        (
            "send(type='result', result='SucceededWithIssues', message='m')",
            "SucceededWithIssues",
            [],
        ),
        ("send(type='result', result='Canceled', message='m')", "Canceled", []),
        ("send(type='result', result='Failed', message='A_CODE: m')", "Failed", ["A_CODE: m"]),
        (
            "send(type='issue', level='error', code='A_CODE', message='A_CODE: why')\n"
            "send(type='result', result='Failed', message='short'); sys.exit(1)",
            "Failed",
            ["A_CODE: why"],
        ),
        (
            "send(type='result', result='Succeeded', message='m')\n"
            "send(type='result', result='Failed', message='the last one counts')",
            "Failed",
            ["the last one counts"],
        ),
        ("pass", "Failed", ["TASK_DIED: The task's Python ended with code 0 and gave no result."]),
        ("sys.exit(3)", "Failed", ["TASK_DIED: The task's Python ended with code 3 and gave no"]),
        ("raise ValueError", "Failed", ["TASK_DIED: The task's Python ended with code 1 and gave"]),
        (
            "os.kill(os.getpid(), 9)",
            "Failed",
            ["TASK_DIED: The task's Python was ended by SIGKILL"],
        ),
    ],
)
def test_there_is_one_result_and_a_failure_shows_one_error(
    launcher: Launcher, code: str, result: str, errors: list[str]
) -> None:
    outcome = launcher.run(code)
    assert outcome.code == 0
    assert outcome.result[0] == result
    assert len(outcome.errors) == len(errors)
    for found, expected in zip(outcome.errors, errors, strict=True):
        assert found.startswith(expected)
        assert not expected.startswith("TASK_DIED") or " Next: " in found


def test_a_crash_after_success_is_an_issue(launcher: Launcher) -> None:
    outcome = launcher.run(SUCCEED + "os.kill(os.getpid(), 11)")
    assert outcome.result[0] == "SucceededWithIssues"
    assert "TASK_DIED: The task had succeeded" in outcome.result[1]


def test_messages_that_cannot_be_understood_are_warnings(launcher: Launcher) -> None:
    outcome = launcher.run(
        "os.write(3, b'no json\\n')\n"
        "send(type='dance')\n"
        "send(type='result', result='Great')\n"
        "send(type='variable', name='x', value={'a': 1})\n"
        "send(type='secret', value='two\\nlines')\n" + SUCCEED
    )
    issues = [issue.properties["type"] for issue in outcome.named("task.logissue")]
    assert issues == ["warning"] * 5
    assert "two" not in outcome.stdout
    assert outcome.result == ("Succeeded", "done")


def test_what_was_a_secret_once_stays_one(launcher: Launcher) -> None:
    outcome = launcher.run(
        "send(type='variable', name='my.password', value='a-new-password', secret=False)\n"
        "send(type='variable', name='own', value='first-of-own', secret=True)\n"
        "send(type='variable', name='Own', value='second-of-own', secret=False)\n"
        "send(type='variable', name='', value='x')\n" + SUCCEED
    )
    said = [found.properties["issecret"] for found in outcome.named("task.setvariable")]
    assert said == ["true"] * 3
    (issue,) = outcome.named("task.logissue")
    assert issue.data == "A message of the task was not understood: a variable has no name"


def test_files_in_the_sources_do_not_replace_modules(launcher: Launcher) -> None:
    for name in ("click.py", "json.py", "amltasks.py"):
        (launcher.sources / name).write_text("raise SystemExit('the wrong module')")
    (launcher.sources / "own.py").touch()
    outcome = launcher.run(
        "import importlib.util; print(os.getcwd(), importlib.util.find_spec('own'))\n" + SUCCEED,
        env={"PYTHONPATH": str(launcher.sources)},
    )
    assert outcome.result == ("Succeeded", "done")
    assert f"{launcher.sources} None" in outcome.log


def test_a_process_that_python_leaves_behind_does_not_hold_up_the_step(launcher: Launcher) -> None:
    code = (
        "import subprocess\n"
        "left = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "print('left', left.pid, flush=True)\n"
    )
    outcome = launcher.run(code + SUCCEED)
    # It still runs: the launcher did not wait for its end.
    subprocess.run(["kill", outcome.log.split("left ")[1].split()[0]], check=True)
    assert outcome.result == ("Succeeded", "done")


@pytest.mark.parametrize(
    ("env", "message"),
    [
        ({"INPUT_CONNECTEDSERVICENAMEARM": ""}, "No service connection was given."),
        (
            {f"ENDPOINT_AUTH_{CONNECTION}": None},
            f"The agent gave no credentials for the service connection {CONNECTION}.",
        ),
        (
            {f"ENDPOINT_AUTH_{CONNECTION}": '{"scheme": "PublishProfile", "parameters": {}}'},
            "A service connection with the authentication scheme PublishProfile cannot be used.",
        ),
    ],
)
def test_a_connection_that_cannot_work_is_refused(
    launcher: Launcher, env: dict[str, str | None], message: str
) -> None:
    outcome = launcher.run("raise AssertionError", env=env)
    assert outcome.result[0] == "Failed"
    (error,) = outcome.errors
    assert error.startswith(f"CONNECTION_UNSUPPORTED: {message} Next: ")
