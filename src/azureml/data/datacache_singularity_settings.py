"""Settings of dataset caches, which belong to Azure: the names import and refuse to work."""

from __future__ import annotations

from enum import Enum
from typing import Any

from azureml.core._refusal import not_built

_INSTEAD = "Files of remote stores are cached without it: use as_mount() or as_download() of the dataset."


def _refused(name: str) -> NotImplementedError:
    return not_built(name, _INSTEAD)


class SingularityPriority(Enum):
    """One of v1's choices."""

    high = "High"
    low = "Low"
    medium = "Medium"


class SingularitySlaTier(Enum):
    """One of v1's choices."""

    basic = "Basic"
    premium = "Premium"
    standard = "Standard"


class DatacacheSingularitySettings:
    """v1's DatacacheSingularitySettings. Not part of this version."""

    instance_type: Any
    locations: Any
    priority: Any
    sla_tier: Any
    virtual_cluster_arm_id: Any

    def __init__(
        self,
        sla_tier: Any = None,
        priority: Any = None,
        instance_type: Any = None,
        virtual_cluster_arm_id: Any = None,
        locations: Any = None,
    ) -> None:
        raise _refused("DatacacheSingularitySettings")
