"""Cached datasets as inputs, which belong to Azure: the names import and refuse to work."""

from __future__ import annotations

from typing import Any

from azureml.core._refusal import not_built
from azureml.data.constants import MOUNT_MODE

_INSTEAD = "Files of remote stores are cached without it: use as_mount() or as_download() of the dataset."


def _refused(name: str) -> NotImplementedError:
    return not_built(name, _INSTEAD)


class DatacacheConsumptionConfig:
    """v1's DatacacheConsumptionConfig. Not part of this version."""

    datacache_id: Any
    datacache_store: Any
    dataset: Any
    mode: Any
    path_on_compute: Any
    replica_count: Any

    def __init__(
        self,
        datacache_store: Any,
        dataset: Any,
        mode: Any = MOUNT_MODE,
        replica_count: Any = None,
        path_on_compute: Any = None,
        **kwargs: Any,
    ) -> None:
        raise _refused("DatacacheConsumptionConfig")

    def as_mount(self, path_on_compute: Any = None, replica_count: Any = None) -> Any:
        raise _refused("DatacacheConsumptionConfig.as_mount")
