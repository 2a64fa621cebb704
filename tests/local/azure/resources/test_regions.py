"""Names of regions and VM sizes."""

from __future__ import annotations

import pytest

from local.azure.resources.regions import REGIONS, VM_SIZES, find_vm_size


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("STANDARD_DS3_V2", "standardDSv2Family"),
        ("standard_d2s_v3", "standardDSv3Family"),
        ("Standard_NC6", "standardNCFamily"),
        ("Standard_NC24ads_A100_v4", "standardNCADSA100v4Family"),
    ],
)
def test_a_size_is_found_in_any_case_and_has_a_family(name, family):
    found = find_vm_size(name)
    assert found is not None
    assert found.family == family


def test_sizes_have_nodes_worth_the_name():
    assert all(size.cpus > 0 and size.memory_gb > 0 for size in VM_SIZES.values())
    assert find_vm_size("Standard_Nothing") is None


def test_regions_have_the_names_that_resource_manager_takes():
    assert REGIONS["westus2"] == "West US 2"
    assert all(name == name.lower() and " " not in name for name in REGIONS)
