# ruff: noqa: S106  # the passwords here are made up
"""Compute targets as records: the idiom of every script, and the kinds."""

from __future__ import annotations

import copy

import pytest

from azureml.core.compute import (
    AdlaCompute,
    AksCompute,
    AmlCompute,
    BatchCompute,
    ComputeInstance,
    ComputeTarget,
    DatabricksCompute,
    DataFactoryCompute,
    DsvmCompute,
    HDInsightCompute,
    KubernetesCompute,
    KustoCompute,
    RemoteCompute,
    SynapseCompute,
)
from azureml.core.compute.amlcompute import AmlComputeStatus
from azureml.core.compute.compute import compute_from_record
from azureml.core.compute_target import ComputeTargetException
from azureml.core.linked_service import LinkedService
from azureml.exceptions import UserErrorException

STATUS_KEYS = [
    "currentNodeCount",
    "targetNodeCount",
    "nodeStateCounts",
    "allocationState",
    "allocationStateTransitionTime",
    "errors",
    "creationTime",
    "modifiedTime",
    "provisioningState",
    "provisioningStateTransitionTime",
    "scaleSettings",
    "vmPriority",
    "vmSize",
]


def resource(provider: str) -> str:
    return f"/subscriptions/s/resourceGroups/g/providers/{provider}/kind/name"


@pytest.fixture
def cluster(workspace):
    return ComputeTarget.create(workspace, "cpu", AmlCompute.provisioning_configuration(vm_size="STANDARD_D2_V2", max_nodes=4))


class TestIdiom:
    def test_not_found_then_created_then_found(self, workspace, capsys):
        with pytest.raises(ComputeTargetException) as caught:
            ComputeTarget(workspace=workspace, name="cpu")
        assert caught.value.message.startswith("ComputeTargetNotFound:")
        assert "'cpu'" in caught.value.message
        made = ComputeTarget.create(workspace, "cpu", AmlCompute.provisioning_configuration(vm_size="STANDARD_D2_V2", max_nodes=4))
        made.wait_for_completion(show_output=True, min_node_count=None, timeout_in_minutes=20)
        assert capsys.readouterr().out.count("Succeeded") == 3
        found = ComputeTarget(workspace=workspace, name="cpu")
        assert isinstance(found, AmlCompute)
        assert (found.name, found.type, found.provisioning_state) == ("cpu", "AmlCompute", "Succeeded")
        found.wait_for_completion(show_output=True)
        assert capsys.readouterr().out.startswith("Succeeded\n")

    def test_without_output_a_fresh_cluster_says_one_line(self, cluster, capsys):
        cluster.wait_for_completion()
        assert len(capsys.readouterr().out.splitlines()) == 1
        cluster.wait_for_completion()
        assert capsys.readouterr().out == ""

    def test_the_kind_is_that_of_the_record_whatever_class_is_asked(self, workspace, cluster):
        assert isinstance(AmlCompute(workspace, "cpu"), AmlCompute)
        ComputeTarget.create(workspace, "factory", DataFactoryCompute.provisioning_configuration())
        assert isinstance(AmlCompute(workspace, "factory"), DataFactoryCompute)
        assert isinstance(AmlCompute(workspace, "factory"), ComputeTarget)

    @pytest.mark.parametrize("name", ["local", "amlcompute", "containerinstance", "Local"])
    def test_reserved_names(self, workspace, name):
        with pytest.raises(UserErrorException, match=name):
            ComputeTarget.create(workspace, name, AmlCompute.provisioning_configuration(max_nodes=1))

    def test_create_and_attach_want_their_own_configurations(self, workspace):
        attached = DatabricksCompute.attach_configuration("g", "w", access_token="t")
        with pytest.raises(ComputeTargetException, match="provisioning_configuration"):
            ComputeTarget.create(workspace, "x", attached)
        with pytest.raises(ComputeTargetException, match="attach_configuration"):
            ComputeTarget.attach(workspace, "x", AmlCompute.provisioning_configuration(max_nodes=1))

    def test_list(self, workspace, cluster):
        assert [target.name for target in ComputeTarget.list(workspace)] == ["cpu"]


class TestAmlCompute:
    @pytest.mark.parametrize(
        ("values", "said"),
        [
            ({}, "max_nodes is missing"),
            ({"max_nodes": -1}, "negative"),
            ({"max_nodes": 0}, "max_nodes must be at least 1"),
            ({"max_nodes": "0"}, "max_nodes must be at least 1"),
            ({"max_nodes": 1, "min_nodes": 2}, "below min_nodes"),
            ({"max_nodes": "many"}, "whole number"),
            ({"max_nodes": 1, "admin_username": "a"}, "admin_user_password"),
            ({"max_nodes": 1, "vnet_name": "v"}, "subnet_name"),
            ({"max_nodes": 1, "identity_type": "UserAssigned"}, "identity_id"),
            ({"max_nodes": 1, "identity_type": "SystemAssigned", "identity_id": ["x"]}, "UserAssigned"),
        ],
    )
    def test_bad_configurations_are_refused_at_once(self, values, said):
        with pytest.raises(ComputeTargetException, match=said):
            AmlCompute.provisioning_configuration(vm_size="x", **values)

    def test_the_definition_is_what_the_service_reads(self, workspace):
        configuration = AmlCompute.provisioning_configuration(
            vm_size="x",
            vm_priority="lowpriority",
            min_nodes="1",
            max_nodes="3",
            location="here",
            admin_username="a",
            admin_user_password="hush",
        )
        ComputeTarget.create(workspace, "cpu", configuration)
        definition = workspace._client.targets["cpu"]["definition"]
        wanted = {"vm_size": "x", "vm_priority": "lowpriority", "min_nodes": 1, "max_nodes": 3, "idle_seconds_before_scaledown": 1800}
        assert {name: definition[name] for name in wanted} == wanted
        assert definition["location"] == "here"
        assert "hush" not in str(definition)

    def test_status(self, workspace, cluster):
        workspace._client.targets["cpu"]["active_runs"] = 2
        status = cluster.get_status()
        shown = status.serialize()
        assert list(shown) == STATUS_KEYS
        assert shown["scaleSettings"] == {"minNodeCount": 0, "maxNodeCount": 4, "nodeIdleTimeBeforeScaleDown": "PT1800S"}
        assert shown["nodeStateCounts"]["runningNodeCount"] == 2
        assert (shown["currentNodeCount"], shown["allocationState"], shown["vmPriority"]) == (2, "Steady", "Dedicated")
        assert shown["creationTime"].startswith("2026-01-02T03:04:05.000006")
        assert status.creation_time.tzinfo is not None
        assert AmlComputeStatus.deserialize(shown).serialize() == shown
        assert cluster.status is status

    def test_update(self, workspace, cluster):
        cluster.update(min_nodes=1, max_nodes=2)
        assert cluster.scale_settings.minimum_node_count == 1
        assert workspace._client.targets["cpu"]["definition"]["max_nodes"] == 2
        with pytest.raises(ComputeTargetException, match="below"):
            cluster.update(max_nodes=0)
        assert workspace._client.targets["cpu"]["definition"]["max_nodes"] == 2

    def test_identities(self, cluster):
        cluster.add_identity("UserAssigned", ["a", "b"])
        cluster.remove_identity(["a"])
        assert (cluster.identity_type, cluster.identity_id) == ("UserAssigned", ["b"])
        cluster.remove_identity()
        assert (cluster.identity_type, cluster.identity_id) == (None, None)

    def test_delete_and_detach(self, workspace, cluster):
        with pytest.raises(ComputeTargetException, match="delete"):
            cluster.detach()
        cluster.delete()
        assert workspace._client.targets == {}
        with pytest.raises(ComputeTargetException, match="ComputeTargetNotFound"):
            cluster.get_status()
        with pytest.raises(ComputeTargetException, match="ComputeTargetNotFound"):
            cluster.delete()

    def test_active_runs_and_nodes(self, workspace, cluster):
        rows = [("r3", "cpu", "Running"), ("r2", "cpu", "Completed"), ("r1", "other", "Running"), ("r0", "cpu", "Queued")]
        workspace._client.runs = [{"id": run, "target": target, "status": status} for run, target, status in rows]
        assert list(cluster.get_active_runs()) == ["run r3", "run r0"]
        assert list(cluster.get_active_runs(status="Running")) == ["run r3"]
        cluster.update(min_nodes=3)
        nodes = cluster.list_nodes()
        assert [(node["nodeState"], node["runId"]) for node in nodes] == [("running", "r3"), ("idle", None), ("idle", None)]
        assert len({node["nodeId"] for node in nodes}) == 3

    def test_vm_sizes(self, workspace):
        sizes = {size["name"]: size for size in AmlCompute.supported_vmsizes(workspace)}
        assert (sizes["Standard_NC12"]["vCPUs"], sizes["Standard_NC12"]["gpus"]) == (12, 2)

    def test_serialized_form_reads_back(self, workspace, cluster):
        twin = ComputeTarget.deserialize(workspace, cluster.serialize())
        assert isinstance(twin, AmlCompute)
        assert twin.serialize() == cluster.serialize()
        with pytest.raises(ComputeTargetException, match="type"):
            ComputeTarget.deserialize(workspace, {"name": "x"})

    def test_a_copy_keeps_the_workspace_without_copying_it(self, workspace, cluster):
        twin = copy.deepcopy({"target": cluster})["target"]
        assert twin.workspace is workspace
        assert twin.scale_settings is not cluster.scale_settings
        assert twin.serialize() == cluster.serialize()


class TestOtherKinds:
    def test_compute_instance(self, workspace):
        configuration = ComputeInstance.provisioning_configuration(vm_size="STANDARD_D3_V2")
        made = ComputeInstance.create(workspace, "me", configuration)
        assert made.get_status().state == "Running"
        made.stop(wait_for_completion=True)
        assert ComputeInstance(workspace, "me").get_status().serialize()["state"] == "Stopped"
        made.start()
        assert made.get_status().vm_size == "STANDARD_D3_V2"
        made.delete()
        with pytest.raises(ComputeTargetException, match="ComputeTargetNotFound"):
            ComputeInstance(workspace, "me")

    @pytest.mark.parametrize(
        ("kind", "configuration", "type_name", "deletes", "detaches"),
        [
            (AdlaCompute, lambda: AdlaCompute.attach_configuration("g", "a"), "DataLakeAnalytics", True, True),
            (BatchCompute, lambda: BatchCompute.attach_configuration("g", "a"), "Batch", False, True),
            (DataFactoryCompute, lambda: DataFactoryCompute.attach_configuration("g", "f"), "DataFactory", True, True),
            (DatabricksCompute, lambda: DatabricksCompute.attach_configuration("g", "w", access_token="hush"), "Databricks", False, True),
            (AksCompute, lambda: AksCompute.attach_configuration("g", "c"), "AKS", True, True),
            (RemoteCompute, lambda: RemoteCompute.attach_configuration("u", address="a", password="hush"), "VirtualMachine", False, True),
            (HDInsightCompute, lambda: HDInsightCompute.attach_configuration("u", address="a", password="hush"), "HDInsight", False, True),
            (
                KubernetesCompute,
                lambda: KubernetesCompute.attach_configuration(resource("Microsoft.Kubernetes"), "ns"),
                "Kubernetes",
                False,
                True,
            ),
            (KustoCompute, lambda: KustoCompute.attach_configuration("g", "w", application_key="hush"), "Kusto", False, True),
            (KustoCompute, lambda: KustoCompute.attach_configuration("g", "w", resource("Microsoft.Kusto")), "Kusto", False, True),
            (
                SynapseCompute,
                lambda: SynapseCompute.attach_configuration(LinkedService(None, "l", "Synapse", None, None), "SynapseSpark", "pool"),
                "SynapseSpark",
                False,
                True,
            ),
        ],
    )
    def test_attached_kinds(self, workspace, kind, configuration, type_name, deletes, detaches):
        made = ComputeTarget.attach(workspace, "x", configuration())
        made.wait_for_completion(show_output=True)
        found = ComputeTarget(workspace, "x")
        assert type(made) is type(found) is kind
        assert found.type == type_name
        assert found.is_attached
        assert "hush" not in str(workspace._client.targets)
        for allowed, call in ((deletes, "delete"), (detaches, "detach")):
            if allowed:
                getattr(compute_from_record(workspace, workspace._client.targets["x"]), call)()
                ComputeTarget.attach(workspace, "x", configuration())
            else:
                with pytest.raises(ComputeTargetException):
                    getattr(found, call)()

    @pytest.mark.parametrize(
        "build",
        [
            lambda: AdlaCompute.attach_configuration(),
            lambda: AdlaCompute.attach_configuration("g"),
            lambda: AdlaCompute.attach_configuration("g", "a", resource("Microsoft.DataLakeAnalytics")),
            lambda: BatchCompute.attach_configuration(resource_id=resource("Microsoft.DataLakeAnalytics")),
            lambda: BatchCompute.attach_configuration(resource_id="/subscriptions/s"),
            lambda: RemoteCompute.attach_configuration("u", address="a"),
            lambda: RemoteCompute.attach_configuration("", address="a", password="p"),
            lambda: KubernetesCompute.attach_configuration(),
            lambda: SynapseCompute.attach_configuration(None, "SynapseSpark", "p"),
            lambda: AksCompute.provisioning_configuration(agent_count=0),
            lambda: AksCompute.provisioning_configuration(cluster_purpose="Fun"),
            lambda: AksCompute.provisioning_configuration(ssl_cname="c"),
            lambda: ComputeInstance.provisioning_configuration(ssh_public_access=True),
        ],
    )
    def test_bad_configurations(self, build):
        with pytest.raises(ComputeTargetException):
            build()

    def test_older_ways_to_attach(self, workspace):
        made = RemoteCompute.attach(workspace, "vm", "u", "host", password="hush")
        assert isinstance(made, RemoteCompute)
        by_id = AksCompute.attach(workspace, "aks", resource("Microsoft.ContainerService"))
        assert by_id.cluster_resource_id == resource("Microsoft.ContainerService")
        with pytest.raises(NotImplementedError, match="RemoteCompute"):
            made.get_credentials()

    def test_a_created_machine_is_told_from_an_attached_one(self, workspace):
        ComputeTarget.create(workspace, "vm", DsvmCompute.provisioning_configuration(vm_size="x"))
        made = ComputeTarget(workspace, "vm")
        assert isinstance(made, DsvmCompute)
        with pytest.raises(ComputeTargetException):
            made.detach()

    def test_aks_settings(self, workspace):
        from azureml.core.compute.aks import AksUpdateConfiguration, SslConfiguration

        purpose = AksCompute.ClusterPurpose.DEV_TEST
        made = ComputeTarget.create(workspace, "aks", AksCompute.provisioning_configuration(agent_count=2, cluster_purpose=purpose))
        assert (made.agent_count, made.cluster_purpose) == (2, "DevTest")
        made.update(AksUpdateConfiguration(SslConfiguration(status="Enabled", cname="c", key="hush")))
        assert made.ssl_configuration.cname == "c"
        assert "hush" not in str(workspace._client.targets)

    def test_a_record_of_an_unknown_kind_is_a_plain_target(self, workspace):
        target = compute_from_record(workspace, {"name": "n", "type": "Quantum", "definition": {}})
        assert type(target) is ComputeTarget
        assert target.type == "Quantum"


class TestNames:
    @pytest.mark.parametrize("name", ["a b!", "", "1cpu", "-cpu", "cpu/gpu", "ümlaut", "x" * 65, "cpu\n", 3, None])
    def test_a_name_that_azure_would_not_take_is_refused(self, workspace, name):
        configuration = AmlCompute.provisioning_configuration(max_nodes=1)
        with pytest.raises(ComputeTargetException, match="can't name a compute target"):
            ComputeTarget.create(workspace, name, configuration)
        assert workspace._client.targets == {}

    @pytest.mark.parametrize("name", ["cpu", "Cpu-Cluster-2", "cpu_cluster", "x" * 64])
    def test_names_of_real_scripts_are_taken(self, workspace, name):
        assert ComputeTarget.create(workspace, name, AmlCompute.provisioning_configuration(max_nodes=1)).name == name
