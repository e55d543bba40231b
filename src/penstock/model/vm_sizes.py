"""Machine sizes of v1's cloud: their cores, GPUs and memory; and how many nodes of a size fit side by side on this machine.

The rule, which nothing else repeats: a compute target runs as many steps at once as it has nodes (`max_nodes`), but no more than there is
room for nodes of its size. A size of 4 cores fits twice on 8 cores. One that asks for more than the machine has fits once: its steps
run, one at a time. A size that nobody knows asks for nothing. GPUs count only on a machine that has some. Memory is told, not counted.
"""

from __future__ import annotations

import re
from typing import Any, Dict, List, Mapping, NamedTuple, Optional


class VmSize(NamedTuple):
    """A size of a machine."""

    name: str
    cores: int
    gpus: int
    memory_gib: float
    disk_mib: int


class Machine(NamedTuple):
    """What this machine has."""

    cores: int
    gpus: int = 0


# Name, cores, GPUs, memory in GiB, local disk in MiB: what v1 scripts ask for. Others are accepted all the same.
_SIZES = (
    ("Standard_A1_v2", 1, 0, 2, 10240),
    ("Standard_A2_v2", 2, 0, 4, 20480),
    ("Standard_A2m_v2", 2, 0, 16, 20480),
    ("Standard_A4_v2", 4, 0, 8, 40960),
    ("Standard_A4m_v2", 4, 0, 32, 40960),
    ("Standard_A8_v2", 8, 0, 16, 81920),
    ("Standard_A8m_v2", 8, 0, 64, 81920),
    ("Standard_B1s", 1, 0, 1, 4096),
    ("Standard_B1ms", 1, 0, 2, 4096),
    ("Standard_B2s", 2, 0, 4, 8192),
    ("Standard_B2ms", 2, 0, 8, 16384),
    ("Standard_B4ms", 4, 0, 16, 32768),
    ("Standard_B8ms", 8, 0, 32, 65536),
    ("Standard_D1", 1, 0, 3.5, 51200),
    ("Standard_D2", 2, 0, 7, 102400),
    ("Standard_D3", 4, 0, 14, 204800),
    ("Standard_D4", 8, 0, 28, 409600),
    ("Standard_D11", 2, 0, 14, 102400),
    ("Standard_D12", 4, 0, 28, 204800),
    ("Standard_D13", 8, 0, 56, 409600),
    ("Standard_D14", 16, 0, 112, 819200),
    ("Standard_D1_v2", 1, 0, 3.5, 51200),
    ("Standard_D2_v2", 2, 0, 7, 102400),
    ("Standard_D3_v2", 4, 0, 14, 204800),
    ("Standard_D4_v2", 8, 0, 28, 409600),
    ("Standard_D5_v2", 16, 0, 56, 819200),
    ("Standard_D11_v2", 2, 0, 14, 102400),
    ("Standard_D12_v2", 4, 0, 28, 204800),
    ("Standard_D13_v2", 8, 0, 56, 409600),
    ("Standard_D14_v2", 16, 0, 112, 819200),
    ("Standard_D15_v2", 20, 0, 140, 1024000),
    ("Standard_DS1", 1, 0, 3.5, 7168),
    ("Standard_DS2", 2, 0, 7, 14336),
    ("Standard_DS3", 4, 0, 14, 28672),
    ("Standard_DS4", 8, 0, 28, 57344),
    ("Standard_DS11", 2, 0, 14, 28672),
    ("Standard_DS12", 4, 0, 28, 57344),
    ("Standard_DS13", 8, 0, 56, 114688),
    ("Standard_DS14", 16, 0, 112, 229376),
    ("Standard_DS1_v2", 1, 0, 3.5, 7168),
    ("Standard_DS2_v2", 2, 0, 7, 14336),
    ("Standard_DS3_v2", 4, 0, 14, 28672),
    ("Standard_DS4_v2", 8, 0, 28, 57344),
    ("Standard_DS5_v2", 16, 0, 56, 114688),
    ("Standard_DS11_v2", 2, 0, 14, 28672),
    ("Standard_DS12_v2", 4, 0, 28, 57344),
    ("Standard_DS13_v2", 8, 0, 56, 114688),
    ("Standard_DS14_v2", 16, 0, 112, 229376),
    ("Standard_DS15_v2", 20, 0, 140, 286720),
    ("Standard_D2_v3", 2, 0, 8, 51200),
    ("Standard_D4_v3", 4, 0, 16, 102400),
    ("Standard_D8_v3", 8, 0, 32, 204800),
    ("Standard_D16_v3", 16, 0, 64, 409600),
    ("Standard_D32_v3", 32, 0, 128, 819200),
    ("Standard_D64_v3", 64, 0, 256, 1638400),
    ("Standard_D2s_v3", 2, 0, 8, 16384),
    ("Standard_D4s_v3", 4, 0, 16, 32768),
    ("Standard_D8s_v3", 8, 0, 32, 65536),
    ("Standard_D16s_v3", 16, 0, 64, 131072),
    ("Standard_D32s_v3", 32, 0, 128, 262144),
    ("Standard_D64s_v3", 64, 0, 256, 524288),
    ("Standard_D2ds_v4", 2, 0, 8, 76800),
    ("Standard_D4ds_v4", 4, 0, 16, 153600),
    ("Standard_D8ds_v4", 8, 0, 32, 307200),
    ("Standard_D16ds_v4", 16, 0, 64, 614400),
    ("Standard_E2_v3", 2, 0, 16, 51200),
    ("Standard_E4_v3", 4, 0, 32, 102400),
    ("Standard_E8_v3", 8, 0, 64, 204800),
    ("Standard_E16_v3", 16, 0, 128, 409600),
    ("Standard_E32_v3", 32, 0, 256, 819200),
    ("Standard_E2s_v3", 2, 0, 16, 32768),
    ("Standard_E4s_v3", 4, 0, 32, 65536),
    ("Standard_E8s_v3", 8, 0, 64, 131072),
    ("Standard_E16s_v3", 16, 0, 128, 262144),
    ("Standard_E32s_v3", 32, 0, 256, 524288),
    ("Standard_E4ds_v4", 4, 0, 32, 153600),
    ("Standard_E8ds_v4", 8, 0, 64, 307200),
    ("Standard_E16ds_v4", 16, 0, 128, 614400),
    ("Standard_F1", 1, 0, 2, 16384),
    ("Standard_F2", 2, 0, 4, 32768),
    ("Standard_F4", 4, 0, 8, 65536),
    ("Standard_F8", 8, 0, 16, 131072),
    ("Standard_F16", 16, 0, 32, 262144),
    ("Standard_F2s_v2", 2, 0, 4, 16384),
    ("Standard_F4s_v2", 4, 0, 8, 32768),
    ("Standard_F8s_v2", 8, 0, 16, 65536),
    ("Standard_F16s_v2", 16, 0, 32, 131072),
    ("Standard_F32s_v2", 32, 0, 64, 262144),
    ("Standard_F64s_v2", 64, 0, 128, 524288),
    ("Standard_F72s_v2", 72, 0, 144, 589824),
    ("Standard_H8", 8, 0, 56, 1024000),
    ("Standard_H16", 16, 0, 112, 2048000),
    ("Standard_HB60rs", 60, 0, 228, 716800),
    ("Standard_HC44rs", 44, 0, 352, 716800),
    ("Standard_M64s", 64, 0, 1024, 2097152),
    ("Standard_M128s", 128, 0, 2048, 4194304),
    ("Standard_NC6", 6, 1, 56, 389120),
    ("Standard_NC12", 12, 2, 112, 696320),
    ("Standard_NC24", 24, 4, 224, 1474560),
    ("Standard_NC24r", 24, 4, 224, 1474560),
    ("Standard_NC6s_v2", 6, 1, 112, 344064),
    ("Standard_NC12s_v2", 12, 2, 224, 688128),
    ("Standard_NC24s_v2", 24, 4, 448, 1376256),
    ("Standard_NC24rs_v2", 24, 4, 448, 1376256),
    ("Standard_NC6s_v3", 6, 1, 112, 344064),
    ("Standard_NC12s_v3", 12, 2, 224, 688128),
    ("Standard_NC24s_v3", 24, 4, 448, 1376256),
    ("Standard_NC24rs_v3", 24, 4, 448, 1376256),
    ("Standard_NC4as_T4_v3", 4, 1, 28, 184320),
    ("Standard_NC8as_T4_v3", 8, 1, 56, 368640),
    ("Standard_NC16as_T4_v3", 16, 1, 110, 368640),
    ("Standard_NC64as_T4_v3", 64, 4, 440, 2949120),
    ("Standard_NC24ads_A100_v4", 24, 1, 220, 65536),
    ("Standard_NC48ads_A100_v4", 48, 2, 440, 131072),
    ("Standard_NC96ads_A100_v4", 96, 4, 880, 262144),
    ("Standard_ND6s", 6, 1, 112, 344064),
    ("Standard_ND12s", 12, 2, 224, 688128),
    ("Standard_ND24s", 24, 4, 448, 1376256),
    ("Standard_ND24rs", 24, 4, 448, 1376256),
    ("Standard_ND40rs_v2", 40, 8, 672, 3018752),
    ("Standard_ND96asr_v4", 96, 8, 900, 6144000),
    ("Standard_NV6", 6, 1, 56, 348160),
    ("Standard_NV12", 12, 2, 112, 696320),
    ("Standard_NV24", 24, 4, 224, 1474560),
    ("Standard_NV12s_v3", 12, 1, 112, 327680),
    ("Standard_NV24s_v3", 24, 2, 224, 655360),
    ("Standard_NV48s_v3", 48, 4, 448, 1310720),
)
_BY_NAME = {row[0].lower(): VmSize(row[0], row[1], row[2], float(row[3]), row[4]) for row in _SIZES}

# From the third generation on a size's number is that of its cores, the second one if there are two: Standard_E4-2ds_v5 has two.
_LATER = re.compile(r"standard_[a-z]+(\d+)(?:-(\d+))?[a-z]*(?:_[a-z0-9]+)*_v(?:[3-9]|\d\d)")


def find_vm_size(name: Optional[str]) -> Optional[VmSize]:
    """Return a known size by its name, in whatever case and with or without `Standard_`; None for any other."""
    return _BY_NAME.get(_key(name))


def find_cores(name: Optional[str]) -> Optional[int]:
    """Return the cores of a size: a known one, or one whose name tells; None for any other."""
    size = find_vm_size(name)
    if size is not None:
        return size.cores
    told = _LATER.fullmatch(_key(name))
    return int(told.group(2) or told.group(1)) if told else None


def _key(name: Optional[str]) -> str:
    text = str(name or "").strip().lower()
    return text if text.startswith("standard_") else f"standard_{text}"


def nodes_at_once(max_nodes: int, vm_size: Optional[str], machine: Machine) -> int:
    """Return how many steps a target of this size and limit runs at once on this machine: at least one."""
    size = find_vm_size(vm_size)
    fits = [max_nodes, machine.cores // max(find_cores(vm_size) or 1, 1)]
    if size is not None and size.gpus and machine.gpus:
        fits.append(machine.gpus // size.gpus)
    return max(1, min(fits))


def list_vm_sizes() -> List[Dict[str, Any]]:
    """Return the known sizes as v1's dictionaries."""
    return [_document(size) for size in _BY_NAME.values()]


def _document(size: VmSize) -> Dict[str, Any]:
    return {
        "name": size.name,
        "vCPUs": size.cores,
        "gpus": size.gpus,
        "memoryGB": size.memory_gib,
        "maxResourceVolumeMB": size.disk_mib,
    }


def vm_size_of(definition: Mapping[str, Any]) -> Optional[str]:
    """Return the size that a compute target's definition names, if it names one."""
    size = definition.get("vm_size")
    return size if isinstance(size, str) and size else None
