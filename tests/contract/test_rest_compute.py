"""Compute targets of every kind through the facade and a real service, and the runs that are asked for by their target."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from azureml.core import Workspace
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
from azureml.core.compute_target import ComputeTargetException
from azureml.core.linked_service import LinkedService
from penstock.model import status as words

HUSH = "hush-hush-7f3a"
ADDED = ("delete",)
ATTACHED = ("detach",)
BOTH = ("delete", "detach")


def resource(provider: str) -> str:
    return f"/subscriptions/s/resourceGroups/g/providers/{provider}/kind/name"


LOGIN = {"address": "host", "password": HUSH, "private_key_passphrase": HUSH}
# What v1 made from a provisioning configuration, and what it attached: class, type, configuration, how it is removed.
CREATED = [
    (
        AmlCompute,
        "AmlCompute",
        lambda: AmlCompute.provisioning_configuration("Standard_NC6", max_nodes=2, admin_username="a", admin_user_password=HUSH),
        ADDED,
    ),
    (
        ComputeInstance,
        "ComputeInstance",
        lambda: ComputeInstance.provisioning_configuration("x", ssh_public_access=True, admin_user_ssh_public_key=HUSH),
        ADDED,
    ),
    (DsvmCompute, "VirtualMachine", lambda: DsvmCompute.provisioning_configuration("Standard_D2_v2", "22", "here"), ADDED),
    (AksCompute, "AKS", lambda: AksCompute.provisioning_configuration(agent_count=3, vm_size="Standard_D2_v2"), BOTH),
    (DataFactoryCompute, "DataFactory", lambda: DataFactoryCompute.provisioning_configuration(), BOTH),
]
FOREIGN = [
    (RemoteCompute, "VirtualMachine", lambda: RemoteCompute.attach_configuration("me", **LOGIN), ATTACHED),
    (AksCompute, "AKS", lambda: AksCompute.attach_configuration(resource_id=resource("Microsoft.ContainerService")), BOTH),
    (KubernetesCompute, "Kubernetes", lambda: KubernetesCompute.attach_configuration(resource("Microsoft.Kubernetes"), "ns"), ATTACHED),
    (DatabricksCompute, "Databricks", lambda: DatabricksCompute.attach_configuration("g", "w", access_token=HUSH), ATTACHED),
    (DataFactoryCompute, "DataFactory", lambda: DataFactoryCompute.attach_configuration("g", "f"), BOTH),
    (AdlaCompute, "DataLakeAnalytics", lambda: AdlaCompute.attach_configuration("g", "a"), BOTH),
    (BatchCompute, "Batch", lambda: BatchCompute.attach_configuration("g", "a"), ATTACHED),
    (HDInsightCompute, "HDInsight", lambda: HDInsightCompute.attach_configuration("me", **LOGIN), ATTACHED),
    (
        KustoCompute,
        "Kusto",
        lambda: KustoCompute.attach_configuration("g", "w", application_key=HUSH, kusto_connection_string=HUSH),
        ATTACHED,
    ),
    (
        SynapseCompute,
        "SynapseSpark",
        lambda: SynapseCompute.attach_configuration(LinkedService(None, "l", "Synapse", None, None), "SynapseSpark", "pool"),
        ATTACHED,
    ),
]


@pytest.fixture
def workspace(rest: Any, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Workspace:
    monkeypatch.setenv("PENSTOCK_HOME", str(rest.home.path))
    return Workspace.get(f"compute-{abs(hash(request.node.nodeid)) % 10**12}", subscription_id="sub", resource_group="group")


@pytest.mark.parametrize(("kind", "type_name", "configuration", "removals"), CREATED + FOREIGN)
def test_the_life_of_every_kind(
    rest: Any,
    workspace: Workspace,
    capsys: pytest.CaptureFixture[str],
    kind: Any,
    type_name: str,
    configuration: Callable[[], Any],
    removals: Any,
) -> None:
    make = ComputeTarget.create if configuration in [row[2] for row in CREATED] else ComputeTarget.attach
    for removal in removals:
        made = make(workspace, "target", configuration())
        made.wait_for_completion(show_output=True)
        assert "Succeeded" in capsys.readouterr().out
        found = ComputeTarget(workspace, "target")
        assert type(found) is type(made) is kind
        assert (found.name, found.type, found.provisioning_state) == ("target", type_name, "Succeeded")
        assert found.is_attached is (make is ComputeTarget.attach)
        assert [(target.name, type(target)) for target in ComputeTarget.list(workspace)] == [("target", kind)]
        assert found.get_status() is not None
        assert ComputeTarget.deserialize(workspace, found.serialize()).serialize() == found.serialize()
        for other in {"delete", "detach"} - set(removals):
            with pytest.raises(ComputeTargetException, match=removal):
                getattr(found, other)()
        assert HUSH not in repr(found) + str(found.serialize())
        getattr(found, removal)()
        assert ComputeTarget.list(workspace) == []
        with pytest.raises(ComputeTargetException, match="ComputeTargetNotFound"):
            found.refresh_state()
    for file in (rest.home.database, rest.home.database.with_name(rest.home.database.name + "-wal")):
        assert not file.exists() or HUSH.encode() not in file.read_bytes()


def test_created_again_it_is_the_newer_one(workspace: Workspace) -> None:
    first = ComputeTarget.create(workspace, "cpu", AmlCompute.provisioning_configuration(max_nodes=1))
    second = ComputeTarget.create(workspace, "cpu", AmlCompute.provisioning_configuration(max_nodes=3))
    assert second.created_on == first.created_on
    assert [target.scale_settings.maximum_node_count for target in ComputeTarget.list(workspace)] == [3]


ODD = ["", "a", "é", 'a"b', "a\\b", "a/b", "new\nline", "null", "a.b:c-d e"]


def test_tags_and_properties_are_found_whatever_is_in_them(rest: Any) -> None:
    made = {text: rest.client.create_run(rest.workspace_id, "odd", tags={text or "k": text}, properties={"p": text})["id"] for text in ODD}
    for text, run_id in made.items():
        for wanted in ({"tags": {text or "k": text}}, {"properties": {"p": text}}, {"tags": text or "k"}):
            assert [run["id"] for run in rest.client.list_runs(workspace_id=rest.workspace_id, **wanted)] == [run_id], wanted
    assert len(rest.client.list_runs(workspace_id=rest.workspace_id, properties="p")) == len(ODD)
    assert rest.client.list_runs(workspace_id=rest.workspace_id, tags={"a": "b"}) == []


def test_runs_are_found_by_their_target_and_each_other_filter(rest: Any) -> None:
    made = []
    for number in range(12):
        name, status = f"experiment-{number % 2}", list(words.ALL)[number % 4]
        run = rest.client.create_run(rest.workspace_id, name, tags={"third": str(number % 3)})
        rest.execute("update runs set target = ?, status = ? where id = ?", ("a", "b", None)[number % 3], status, run["id"])
        made.append(rest.client.get_run(run["id"]))
    made.reverse()
    filters: list[tuple[dict[str, Any], Callable[[dict[str, Any]], bool]]] = [
        ({"target": "a"}, lambda run: run["target"] == "a"),
        ({"target": "nobody"}, lambda run: False),
        ({"experiment_name": "experiment-1"}, lambda run: run["experiment_name"] == "experiment-1"),
        ({"status": ["NotStarted", "Queued"]}, lambda run: run["status"] in ("NotStarted", "Queued")),
        ({"status": ["NotStarted", "Completed"]}, lambda run: run["status"] == "NotStarted"),
        ({"tags": {"third": "2"}}, lambda run: run["tags"]["third"] == "2"),
        (
            {"target": "b", "experiment_name": "experiment-0", "tags": "third"},
            lambda run: (run["target"], run["experiment_name"][-1]) == ("b", "0"),
        ),
    ]
    for wanted, rule in filters:
        found = rest.client.list_runs(workspace_id=rest.workspace_id, **wanted)
        assert found == [run for run in made if rule(run)], wanted
        for count in (1, 2):
            page = rest.client.list_runs(workspace_id=rest.workspace_id, limit=count, **wanted)
            assert page == found[:count]
            if page:
                assert rest.client.list_runs(workspace_id=rest.workspace_id, before=page[-1]["id"], **wanted) == found[count:]
