"""ProvisionAmlCompute against the local Azure, on both SDKs."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from local.azure.resources.compute import ATTACHED_CLUSTER
from tests.patience import PATIENCE_S
from tests.tasks.amltasks.conftest import CLUSTER, Azure, Ended, Starter, start_task
from tests.tasks.amltasks.contract.conftest import Seen

TASK = "ProvisionAmlCompute"


def test_an_absent_cluster_is_created(cluster: Ended, sdk: str, seen: Seen) -> None:
    name = f"{CLUSTER}-{sdk}"
    assert cluster.outputs == {
        "computeName": name,
        "computeState": "Succeeded",
        "computeOutcome": "created",
    }
    assert cluster.issues == {}
    assert f"Cluster {name} is Creating" in cluster.log
    assert seen.vm_size(name) == "STANDARD_DS3_V2"


def test_a_found_one_is_reused(cluster: Ended, sdk: str, start_in_azure: Starter) -> None:
    inputs = {"computeName": f"{CLUSTER}-{sdk}", "vmSize": "Standard_DS3_v2"}
    ended = start_in_azure(TASK, inputs).end()
    assert (ended.result, ended.outputs["computeOutcome"]) == ("Succeeded", "reused")
    assert ended.issues == {}


@pytest.mark.parametrize(("policy", "result"), [("warn", "Succeeded"), ("fail", "Failed")])
def test_a_different_one_is_reported(
    cluster: Ended, sdk: str, start_in_azure: Starter, policy: str, result: str
) -> None:
    ended = start_in_azure(
        TASK, {"computeName": f"{CLUSTER}-{sdk}", "maxNodes": "2", "onDifference": policy}
    ).end()
    assert ended.result == result
    (told,) = ended.issues.values()
    assert told.startswith("COMPUTE_DIFFERENT: ")
    assert "maxNodes is 4, asked for 2" in told
    assert ("computeName" in ended.outputs) is (policy == "warn")


def test_an_attached_kubernetes_cluster_is_found(sdk: str, start_in_azure: Starter) -> None:
    asked = {"computeName": ATTACHED_CLUSTER}
    ended = start_in_azure(TASK, asked).end()
    assert ended.result == "Succeeded", ended.message
    assert ended.outputs == {
        "computeName": ATTACHED_CLUSTER,
        "computeState": "Succeeded",
        "computeOutcome": "reused",
    }
    assert ended.issues == {}
    ended = start_in_azure(TASK, {**asked, "maxNodes": "2"}).end()
    assert ended.result == "Succeeded"
    (told,) = ended.issues.values()
    assert "it is an attached Kubernetes cluster, which has no maxNodes" in told
    ended = start_in_azure(TASK, {**asked, "maxNodes": "2", "onDifference": "update"}).end()
    assert (ended.result, list(ended.issues)) == ("Failed", ["COMPUTE_DIFFERENT"])


def test_what_can_be_changed_is_updated(sdk: str, start_in_azure: Starter, seen: Seen) -> None:
    asked = {"computeName": f"grows-{sdk}", "onDifference": "update"}
    assert start_in_azure(TASK, asked).end().outputs["computeOutcome"] == "created"
    ended = start_in_azure(TASK, {**asked, "maxNodes": "2", "minNodes": "1"}).end()
    assert (ended.result, ended.outputs["computeOutcome"]) == ("Succeeded", "updated")
    assert "Updating it: minNodes is 0, asked for 1; maxNodes is 4, asked for 2" in ended.log
    assert "nodes 1 now, 1 to 2" in ended.log
    ended = start_in_azure(TASK, {**asked, "vmSize": "Standard_DS2_v2"}).end()
    assert list(ended.issues) == ["COMPUTE_DIFFERENT"]
    assert "vmSize is standard_ds3_v2, asked for standard_ds2_v2" in ended.message
    assert "maxNodes" not in ended.message


def test_another_region_is_warned_of_and_least_nodes_are_waited_for(
    sdk: str, start_in_azure: Starter
) -> None:
    ended = start_in_azure(
        TASK, {"computeName": f"far-{sdk}", "location": "westeurope", "minNodes": "1"}
    ).end()
    assert ended.result == "Succeeded"
    assert list(ended.issues) == ["COMPUTE_IN_OTHER_REGION"]
    assert "nodes 1 now" in ended.log


def test_what_azure_refuses_is_told_in_its_words(start_in_azure: Starter) -> None:
    ended = start_in_azure(TASK, {"computeName": "cpu-odd", "vmSize": "STANDARD_NOPE"}).end()
    assert ended.result == "Failed"
    assert "STANDARD_NOPE" in ended.issues["REFUSED"]
    assert "Response Code" not in ended.message


def test_a_deadline_is_kept(sdk: str, start_in_azure: Starter) -> None:
    ended = start_in_azure(TASK, {"computeName": f"late-{sdk}", "timeoutMinutes": "0.01"}).end()
    assert "was still Creating after 0.01 minutes" in ended.issues["COMPUTE_TIMEOUT"]


@pytest.mark.parametrize(
    ("key", "value", "code"),
    [
        ("AZURE_CLIENT_SECRET", "wrong", "AUTHENTICATION_FAILED"),
        ("AZURE_CLIENT_ID", "00000000-0000-0000-0000-000000000000", "AUTHENTICATION_FAILED"),
        ("AZURE_TENANT_ID", "00000000-0000-0000-0000-000000000000", "AUTHENTICATION_FAILED"),
        ("AML_SUBSCRIPTION_ID", "00000000-0000-0000-0000-000000000000", "SUBSCRIPTION_NOT_FOUND"),
        ("AML_RESOURCE_GROUP", "rg-other", "WORKSPACE_NOT_FOUND"),
        ("AML_WORKSPACE_NAME", "ws-other", "WORKSPACE_NOT_FOUND"),
        ("HTTPS_PROXY", "http://127.0.0.1:9", "NO_NETWORK"),
        ("REQUESTS_CA_BUNDLE", "", "TLS_FAILED"),
    ],
)
def test_wrong_doors_are_named(
    aml_azure: Azure, sdk: str, tmp_path: Any, key: str, value: str, code: str
) -> None:
    also = {"HTTPS_PROXY": "https_proxy", "REQUESTS_CA_BUNDLE": "CURL_CA_BUNDLE"}.get(key, key)
    wrong = Azure(environment={**aml_azure.environment, key: value, also: value})
    environment = {name: text for name, text in wrong.client_environment.items() if text}
    ended = start_task(
        TASK,
        {**wrong.place, "sdk": sdk, "computeName": "cpu-cluster"},
        folder=tmp_path,
        connection=wrong.connection,
        environment=environment,
    ).end()
    assert list(ended.issues) == [code]
    assert aml_azure.environment["AZURE_CLIENT_SECRET"] not in ended.log + ended.message
    assert "Traceback" not in ended.log


def test_debugging_tells_more_and_no_secret(aml_azure: Azure, start_in_azure: Starter) -> None:
    ended = start_in_azure(
        TASK,
        {"computeName": "cpu-odd", "vmSize": "STANDARD_NOPE"},
        variables={"system.debug": "true"},
    ).end()
    assert "Traceback" in ended.log
    assert aml_azure.environment["AZURE_CLIENT_SECRET"] not in ended.log


def test_a_cancel_is_heard_and_tells_what_goes_on(sdk: str, start_in_azure: Starter) -> None:
    started = start_in_azure(TASK, {"computeName": f"left-{sdk}"})
    started.wait_for(lambda s: any("is Creating" in line for line in s.lines))
    started.say("cancel")
    ended = started.end()
    assert (ended.result, ended.code) == ("Canceled", 130)
    assert f"Azure goes on with left-{sdk} by itself" in ended.log


def until(happened: Callable[[], bool]) -> None:
    """Wait for what Azure does after it answered."""
    end = time.monotonic() + PATIENCE_S
    while not happened():
        assert time.monotonic() < end
        time.sleep(0.5)


PER_RUN = {"computeName": "once", "lifecycle": "perRun"}


def test_a_cluster_of_one_job_is_deleted_after_it_and_nothing_else_is(
    sdk: str, start_in_azure: Starter, seen: Seen
) -> None:
    build = {"build.buildid": f"81-{sdk}"}
    ended = start_in_azure(TASK, PER_RUN, variables=build).end()
    assert ended.result == "Succeeded", ended.log
    name = ended.outputs["computeName"]
    assert name.startswith("once-")
    assert name in seen.targets()
    # Another job's clean-up, and one for a cluster that is kept, leave it alone.
    for inputs, variables in (
        (PER_RUN, {"build.buildid": "82"}),
        ({"computeName": name}, build),
    ):
        ended = start_in_azure(TASK, inputs, variables=variables, phase="cleanUp").end()
        assert ended.result == "Succeeded", ended.log
    assert name in seen.targets()
    ended = start_in_azure(TASK, PER_RUN, variables=build, phase="cleanUp").end()
    assert (ended.result, ended.message) == (
        "Succeeded",
        f"Cluster {name} of this job was deleted.",
    )
    ended = start_in_azure(TASK, PER_RUN, variables=build, phase="cleanUp").end()
    assert ended.result == "Succeeded", ended.log
    until(lambda: name not in seen.targets())


def test_a_cluster_that_is_still_being_created_is_deleted_too(
    sdk: str, start_in_azure: Starter, seen: Seen
) -> None:
    build = {"build.buildid": f"83-{sdk}"}
    started = start_in_azure(TASK, PER_RUN, variables=build)
    started.wait_for(lambda s: any("is Creating" in line for line in s.lines))
    started.process.kill()
    started.end()
    ended = start_in_azure(TASK, PER_RUN, variables=build, phase="cleanUp").end()
    assert ended.result == "Succeeded", ended.log
    until(lambda: not [each for each in seen.targets() if each.startswith("once-")])


def test_what_a_dead_agent_left_behind_is_swept_when_its_time_is_over(
    cluster: Ended, sdk: str, start_in_azure: Starter, seen: Seen
) -> None:
    left = []
    for number, hours in (("84", "0.001"), ("85", "1")):
        inputs = {**PER_RUN, "computeName": "left", "expireAfterHours": hours}
        ended = start_in_azure(TASK, inputs, variables={"build.buildid": number + sdk}).end()
        left.append(ended.outputs["computeName"])
    expired, living = left
    before = set(seen.targets())
    kept = {"computeName": f"{CLUSTER}-{sdk}", "sweepExpired": "true"}
    ended = start_in_azure(TASK, kept).end()
    assert ended.result == "Succeeded", ended.log
    assert f"Deleted cluster {expired}, left by a job" in ended.log
    after = start_in_azure(TASK, kept).end()
    assert "Deleted cluster" not in after.log
    end = time.monotonic() + PATIENCE_S
    while expired in seen.targets():  # a deletion takes its time
        assert time.monotonic() < end, "the cluster is not deleted"
        time.sleep(0.2)
    assert before - set(seen.targets()) == {expired}
    assert living in seen.targets()


def test_network_identity_and_tags_reach_azure(
    sdk: str, start_in_azure: Starter, seen: Seen
) -> None:
    subnet = (
        "/subscriptions/s/resourceGroups/net/providers/Microsoft.Network/virtualNetworks/v"
        "/subnets/nodes"
    )
    inputs = {
        "computeName": f"private-{sdk}",
        "subnet": subnet,
        "publicIp": "false",
        "identity": "system",
        "tags": "team: parts",
        "vmSize": "STANDARD_NOPE, STANDARD_DS2_V2",
    }
    ended = start_in_azure(TASK, inputs).end()
    assert ended.result == "Succeeded", ended.log
    assert "The size STANDARD_NOPE will not do" in ended.log
    found = seen.cluster(f"private-{sdk}")
    assert found["size"].upper() == "STANDARD_DS2_V2"
    assert found["subnet"].endswith("/virtualNetworks/v/subnets/nodes")
    assert (found["public"], found["identity"]) == (False, "SystemAssigned")
    assert found["tags"] == {"team": "parts"}


@pytest.mark.parametrize(
    ("inputs", "name"),
    [
        ({"waitFor": "firstNode"}, "waitFor"),
        ({"subnet": "nodes"}, "subnet"),
        ({"identity": "system\n/subscriptions/s/other"}, "identity"),
        ({"identity": "mine"}, "identity"),
    ],
)
def test_wrong_settings_stop_before_any_call(
    start_in_azure: Starter, inputs: dict[str, str], name: str
) -> None:
    ended = start_in_azure(TASK, {"computeName": "never", **inputs}).end()
    assert list(ended.issues) == ["INPUT_INVALID"]
    assert f"the input '{name}'" in ended.message
