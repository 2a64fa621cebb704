"""Which files a task ships: all that it can import, and no other task's."""

from __future__ import annotations

import pytest

from extension.closure import SOURCES, files, modules, package_of


@pytest.mark.parametrize(
    ("task", "package"),
    [
        ("RunAmlPipeline", "run_aml_pipeline"),
        ("EvaluateAndGate", "evaluate_and_gate"),
        ("DeployToAks", "deploy_to_aks"),
        ("Task", "task"),
    ],
)
def test_the_package_of_a_task(task: str, package: str) -> None:
    assert package_of(task) == package


def test_a_task_ships_itself_and_both_adapters() -> None:
    found = modules("ProvisionAmlCompute")
    assert {
        "amltasks",
        "amltasks.__main__",
        "amltasks.provision_aml_compute.task",
        "amltasks.workspace.sdk_v1.compute",
        "amltasks.workspace.sdk_v2.compute",
    } <= found


def test_no_other_task_and_no_set_up_verb_is_shipped() -> None:
    found = modules("ProvisionAmlCompute")
    others = ("run_aml_pipeline", "evaluate_and_gate", "deploy_to_aks", "gate", "admin")
    for name in others:
        assert not [each for each in found if each.startswith(f"amltasks.{name}")], name


def test_every_module_is_a_file_with_its_packages() -> None:
    found = files("EvaluateAndGate")
    assert found == sorted(set(found))
    assert all(path.is_file() for path in found)
    for path in found:
        folder = path.parent
        if folder != SOURCES:
            assert folder / "__init__.py" in found, path


def test_templates_go_where_their_module_goes() -> None:
    with_pages = {path.name for path in files("EvaluateAndGate") if path.suffix == ".jinja"}
    assert with_pages == {path.name for path in (SOURCES / "amltasks/report").glob("*.jinja")}
    assert with_pages
