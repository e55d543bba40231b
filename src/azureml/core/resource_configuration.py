"""How much of a machine a model or a deployment asks for."""

from __future__ import annotations

from typing import Any, Dict, Optional


class ResourceConfiguration:
    """Cores, memory and GPUs.

    Args:
        cpu: Cores; fractions are allowed.
        memory_in_gb: Memory in gigabytes.
        gpu: GPUs.
    """

    def __init__(self, cpu: Optional[float] = None, memory_in_gb: Optional[float] = None, gpu: Optional[int] = None) -> None:
        self.cpu = cpu
        self.memory_in_gb = memory_in_gb
        self.gpu = gpu

    def serialize(self) -> Dict[str, Any]:
        """Return the JSON form."""
        return {"cpu": self.cpu, "memoryInGB": self.memory_in_gb, "gpu": self.gpu}

    @staticmethod
    def deserialize(payload_obj: Optional[Dict[str, Any]]) -> Optional[ResourceConfiguration]:
        """Return the object that a JSON form describes; None for None."""
        if payload_obj is None:
            return None
        return ResourceConfiguration(cpu=payload_obj.get("cpu"), memory_in_gb=payload_obj.get("memoryInGB"), gpu=payload_obj.get("gpu"))

    def __repr__(self) -> str:
        return f"ResourceConfiguration(cpu={self.cpu}, memory_in_gb={self.memory_in_gb}, gpu={self.gpu})"
