"""Compute targets: a name, a size and a limit. Here a target is a share of this machine; all kinds are kept as records.

Kinds load where they are first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, List

if TYPE_CHECKING:
    from azureml.core.compute.adla import AdlaCompute
    from azureml.core.compute.aks import AksCompute
    from azureml.core.compute.amlcompute import AmlCompute
    from azureml.core.compute.batch import BatchCompute
    from azureml.core.compute.compute import ComputeTarget
    from azureml.core.compute.computeinstance import ComputeInstance
    from azureml.core.compute.databricks import DatabricksCompute
    from azureml.core.compute.datafactory import DataFactoryCompute
    from azureml.core.compute.dsvm import DsvmCompute
    from azureml.core.compute.hdinsight import HDInsightCompute
    from azureml.core.compute.kubernetescompute import KubernetesCompute
    from azureml.core.compute.kusto import KustoCompute
    from azureml.core.compute.remote import RemoteCompute
    from azureml.core.compute.synapse import SynapseCompute

__all__ = [
    "AdlaCompute",
    "AksCompute",
    "AmlCompute",
    "BatchCompute",
    "ComputeInstance",
    "ComputeTarget",
    "DataFactoryCompute",
    "DatabricksCompute",
    "DsvmCompute",
    "HDInsightCompute",
    "KubernetesCompute",
    "KustoCompute",
    "RemoteCompute",
    "SynapseCompute",
]

_HOMES = {
    "AdlaCompute": "adla",
    "AksCompute": "aks",
    "AmlCompute": "amlcompute",
    "BatchCompute": "batch",
    "ComputeInstance": "computeinstance",
    "ComputeTarget": "compute",
    "DataFactoryCompute": "datafactory",
    "DatabricksCompute": "databricks",
    "DsvmCompute": "dsvm",
    "HDInsightCompute": "hdinsight",
    "KubernetesCompute": "kubernetescompute",
    "KustoCompute": "kusto",
    "RemoteCompute": "remote",
    "SynapseCompute": "synapse",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> List[str]:
    return sorted({*globals(), *_HOMES})
