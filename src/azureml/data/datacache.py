"""Caches of datasets, which belong to Azure: the names import and refuse to work."""

from __future__ import annotations

from typing import Any

from azureml.core._refusal import not_built

_INSTEAD = "Files of remote stores are cached without it: use as_mount() or as_download() of the dataset."


def _refused(name: str) -> NotImplementedError:
    return not_built(name, _INSTEAD)


class DatacacheHydrationTracker:
    """v1's DatacacheHydrationTracker. Not part of this version."""

    def __init__(self, workspace: Any, datacache_store: Any, dataset: Any, replica_count: Any, run_id: Any) -> None:
        raise _refused("DatacacheHydrationTracker")

    def wait_for_completion(self, show_output: Any = False) -> Any:
        raise _refused("DatacacheHydrationTracker.wait_for_completion")


class DatacacheStore:
    """v1's DatacacheStore. Not part of this version."""

    def __init__(self, workspace: Any, name: Any, **kwargs: Any) -> None:
        raise _refused("DatacacheStore")

    @property
    def data_factory_resource_id(self) -> Any:
        raise _refused("DatacacheStore.data_factory_resource_id")

    @property
    def data_management_compute_target(self) -> Any:
        raise _refused("DatacacheStore.data_management_compute_target")

    @property
    def data_store_list(self) -> Any:
        raise _refused("DatacacheStore.data_store_list")

    @property
    def default_replica_count(self) -> Any:
        raise _refused("DatacacheStore.default_replica_count")

    @staticmethod
    def get_by_name(workspace: Any, name: Any) -> Any:
        raise _refused("DatacacheStore.get_by_name")

    @staticmethod
    def list(workspace: Any) -> Any:
        raise _refused("DatacacheStore.list")

    @property
    def name(self) -> Any:
        raise _refused("DatacacheStore.name")

    @staticmethod
    def register(
        workspace: Any,
        name: Any,
        data_store_list: Any,
        data_management_compute_target: Any,
        data_management_compute_auth: Any,
        ttl_in_days: Any,
        ttl_expiration_policy: Any,
        default_replica_count: Any,
        data_factory_resource_id: Any = None,
        **kwargs: Any,
    ) -> Any:
        raise _refused("DatacacheStore.register")

    @property
    def ttl_expiration_policy(self) -> Any:
        raise _refused("DatacacheStore.ttl_expiration_policy")

    @property
    def ttl_in_days(self) -> Any:
        raise _refused("DatacacheStore.ttl_in_days")

    @staticmethod
    def update(
        workspace: Any,
        name: Any,
        data_management_compute_target: Any = None,
        data_management_compute_auth: Any = None,
        ttl_in_days: Any = None,
        ttl_expiration_policy: Any = None,
        default_replica_count: Any = None,
        data_factory_resource_id: Any = None,
        **kwargs: Any,
    ) -> Any:
        raise _refused("DatacacheStore.update")

    @property
    def workspace(self) -> Any:
        raise _refused("DatacacheStore.workspace")
