"""From inputs as written to a process's environment."""

from __future__ import annotations

import json
import os

import pytest

from local.agent.definition.model import Step
from local.agent.host.connection import from_environment
from local.agent.host.tasks import read_tasks
from local.agent.host.variables import Variables
from local.agent.job.inputs import (
    resolve_inputs,
    rooted,
    script_environment,
    step_environment,
    task_environment,
)


@pytest.fixture
def task(make_vsix, task_json):
    inputs = [
        {"name": "file", "type": "filePath", "aliases": ["path"]},
        {"name": "count", "type": "string", "defaultValue": "7"},
        {"name": "service", "type": "connectedService:AzureRM"},
    ]
    (task,) = read_tasks(make_vsix((task_json("T", inputs=inputs), {"main.js": ""})))
    return task


@pytest.fixture
def azure_connection(connection_settings):
    (found,) = from_environment(connection_settings, {})
    return found


def step(**inputs):
    return Step(task="T@1", inputs=inputs)


def test_defaults_aliases_and_macros(session, job_variables, task):
    job_variables.set("Build.SourcesDirectory", "/s")
    job_variables.set("n", "x")
    found = resolve_inputs(step(PATH="a/$(n)", other=" 1 "), task, job_variables, session)
    expected = {"file": "/s/a/x", "count": "7", "service": "", "other": "1"}
    assert found == expected


def test_an_empty_path_is_the_root_and_an_absolute_one_stays(job_variables):
    job_variables.set("System.ArtifactsDirectory", "/a")
    assert rooted("", job_variables) == "/a"
    assert rooted("../b", job_variables) == "/b"
    assert rooted("/c", job_variables) == "/c"


def test_a_connection_is_given_by_its_id(session, job_variables, task, azure_connection):
    session.connections = (azure_connection,)
    found = resolve_inputs(step(service="Aml-Connection, x"), task, job_variables, session)
    assert found["service"] == f"{azure_connection.identity},x"


def test_blanks_are_kept_on_request(session, job_variables):
    session.environment = {"DISABLE_INPUT_TRIMMING": "true"}
    assert resolve_inputs(step(a=" 1 "), None, job_variables, session) == {"a": " 1 "}


def environment(session, variables, **changes):
    given = {
        "own": {},
        "task_variables": Variables(session.masker),
        "inputs": {},
        "endpoints": {},
        "prepend_path": [],
        **changes,
    }
    return task_environment(session=session, variables=variables, **given)


def test_a_secret_is_not_among_the_public_variables(session, job_variables):
    job_variables.set("my.name", "v")
    job_variables.set("my.secret", "hunter22", secret=True)
    found = environment(session, job_variables, inputs={"a b": "1"})
    assert found["MY_NAME"] == "v"
    assert found["SECRET_MY_SECRET"] == "hunter22"
    assert "MY_SECRET" not in found
    assert found["INPUT_A_B"] == "1"
    assert json.loads(found["VSTS_SECRET_VARIABLES"]) == ["my.secret"]
    assert "hunter22" not in str(script_environment(found))
    assert "INPUT_A_B" not in script_environment(found)


def test_what_is_prepended_last_is_found_first(session, job_variables):
    session.environment = {"PATH": "/bin"}
    found = environment(session, job_variables, prepend_path=["/one", "/two"])
    assert found["PATH"] == os.pathsep.join(["/two", "/one", "/bin"])


def test_the_steps_own_environment_is_expanded(session, job_variables):
    job_variables.set("n", "x")
    session.environment = {"HOST": "h"}
    one = Step(task="CmdLine@2", env={" A ": " $(n)-$(HOST) ", " ": "no"})
    assert step_environment(one, job_variables, session) == {"A": "x-h"}
