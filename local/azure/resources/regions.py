"""What the cloud offers: region names and VM sizes that Azure ML accepts.

Source: learn.microsoft.com/azure/virtual-machines/sizes and the region list of ARM. A selection:
sizes that samples commonly name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_DISPLAY_NAMES = """
    Australia Central; Australia East; Australia Southeast; Brazil South; Canada Central;
    Canada East; Central India; Central US; East Asia; East US; East US 2; France Central;
    Germany West Central; Italy North; Israel Central; Japan East; Japan West; Korea Central;
    Korea South; Mexico Central; New Zealand North; North Central US; North Europe; Norway East;
    Poland Central; Qatar Central; South Africa North; South Central US; South India;
    Southeast Asia; Spain Central; Sweden Central; Switzerland North; Switzerland West;
    UAE North; UK South; UK West; West Central US; West Europe; West India; West US; West US 2;
    West US 3
"""
REGIONS = {
    name.replace(" ", "").lower(): name
    for name in (" ".join(words.split()) for words in _DISPLAY_NAMES.split(";"))
}
"""The names people read, by the names that ARM takes."""


@dataclass(frozen=True, kw_only=True)
class VmSize:
    """A VM size: number of virtual CPUs and GPUs, memory in GB, disk in MB."""

    name: str
    cpus: int
    gpus: int
    memory_gb: float
    disk_mb: int

    @property
    def family(self) -> str:
        """The family that quota is given for, such as `standardDSv2Family`."""
        _, model, *rest = self.name.split("_")
        letters = re.sub(r"\d+", "", model).upper()
        return f"standard{letters}{''.join(rest)}Family"


def _sizes() -> dict[str, VmSize]:
    rows = """
        Standard_A1_v2 1 0 2 10240
        Standard_A2_v2 2 0 4 20480
        Standard_A4_v2 4 0 8 40960
        Standard_D1_v2 1 0 3.5 51200
        Standard_D2_v2 2 0 7 102400
        Standard_D3_v2 4 0 14 204800
        Standard_D4_v2 8 0 28 409600
        Standard_D11_v2 2 0 14 102400
        Standard_D12_v2 4 0 28 204800
        Standard_D13_v2 8 0 56 409600
        Standard_D14_v2 16 0 112 819200
        Standard_DS1_v2 1 0 3.5 7168
        Standard_DS2_v2 2 0 7 14336
        Standard_DS3_v2 4 0 14 28672
        Standard_DS4_v2 8 0 28 57344
        Standard_DS5_v2 16 0 56 114688
        Standard_DS11_v2 2 0 14 28672
        Standard_DS12_v2 4 0 28 57344
        Standard_DS13_v2 8 0 56 114688
        Standard_DS14_v2 16 0 112 229376
        Standard_D2_v3 2 0 8 51200
        Standard_D4_v3 4 0 16 102400
        Standard_D8_v3 8 0 32 204800
        Standard_D2s_v3 2 0 8 16384
        Standard_D4s_v3 4 0 16 32768
        Standard_D8s_v3 8 0 32 65536
        Standard_D16s_v3 16 0 64 131072
        Standard_D2as_v4 2 0 8 16384
        Standard_D4as_v4 4 0 16 32768
        Standard_E2s_v3 2 0 16 32768
        Standard_E4s_v3 4 0 32 65536
        Standard_E8s_v3 8 0 64 131072
        Standard_F2s_v2 2 0 4 16384
        Standard_F4s_v2 4 0 8 32768
        Standard_F8s_v2 8 0 16 65536
        Standard_F16s_v2 16 0 32 131072
        Standard_NC6 6 1 56 389120
        Standard_NC12 12 2 112 696320
        Standard_NC6s_v2 6 1 112 344064
        Standard_NC6s_v3 6 1 112 344064
        Standard_NC12s_v3 12 2 224 688128
        Standard_NC24s_v3 24 4 448 1376256
        Standard_NC4as_T4_v3 4 1 28 184320
        Standard_NC8as_T4_v3 8 1 56 368640
        Standard_NC24ads_A100_v4 24 1 220 65536
        Standard_NV6 6 1 56 389120
    """
    sizes = {}
    for row in rows.strip().splitlines():
        name, cpus, gpus, memory, disk = row.split()
        sizes[name.lower()] = VmSize(
            name=name, cpus=int(cpus), gpus=int(gpus), memory_gb=float(memory), disk_mb=int(disk)
        )
    return sizes


VM_SIZES = _sizes()


def find_vm_size(name: str) -> VmSize | None:
    """A VM size by its name in any case, or None."""
    return VM_SIZES.get(name.lower())
