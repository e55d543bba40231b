"""The machine sizes that v1 scripts ask for most, and what they mean: cores, GPUs, memory, disk."""

from __future__ import annotations

from typing import Any, Dict, List

# Name, cores, GPUs, memory in GB, local disk in MB. Sizes that are not here are accepted all the same.
_SIZES = (
    ("Standard_D1_v2", 1, 0, 3.5, 51200),
    ("Standard_D2_v2", 2, 0, 7.0, 102400),
    ("Standard_D3_v2", 4, 0, 14.0, 204800),
    ("Standard_D4_v2", 8, 0, 28.0, 409600),
    ("Standard_D11_v2", 2, 0, 14.0, 102400),
    ("Standard_D12_v2", 4, 0, 28.0, 204800),
    ("Standard_D13_v2", 8, 0, 56.0, 409600),
    ("Standard_D14_v2", 16, 0, 112.0, 819200),
    ("Standard_DS1_v2", 1, 0, 3.5, 7168),
    ("Standard_DS2_v2", 2, 0, 7.0, 14336),
    ("Standard_DS3_v2", 4, 0, 14.0, 28672),
    ("Standard_DS4_v2", 8, 0, 28.0, 57344),
    ("Standard_DS5_v2", 16, 0, 56.0, 114688),
    ("Standard_DS11_v2", 2, 0, 14.0, 28672),
    ("Standard_DS12_v2", 4, 0, 28.0, 57344),
    ("Standard_DS13_v2", 8, 0, 56.0, 114688),
    ("Standard_DS14_v2", 16, 0, 112.0, 229376),
    ("Standard_F4s_v2", 4, 0, 8.0, 32768),
    ("Standard_F8s_v2", 8, 0, 16.0, 65536),
    ("Standard_F16s_v2", 16, 0, 32.0, 131072),
    ("Standard_NC6", 6, 1, 56.0, 389120),
    ("Standard_NC12", 12, 2, 112.0, 696320),
    ("Standard_NC24", 24, 4, 224.0, 1474560),
    ("Standard_NC6s_v3", 6, 1, 112.0, 344064),
    ("Standard_NC12s_v3", 12, 2, 224.0, 688128),
    ("Standard_NC24s_v3", 24, 4, 448.0, 1376256),
)


def list_vm_sizes() -> List[Dict[str, Any]]:
    """Return the known sizes as dictionaries."""
    names = ("name", "vCPUs", "gpus", "memoryGB", "maxResourceVolumeMB")
    return [dict(zip(names, size)) for size in _SIZES]
