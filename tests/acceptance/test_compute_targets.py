"""Compute targets as v1 scripts use them, against a real service; and metrics that outlive its death."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from tests.conftest import kill_service, wait_until

from azureml.core import Experiment
from azureml.core.compute import AmlCompute, ComputeInstance, ComputeTarget
from azureml.core.compute_target import ComputeTargetException
from azureml.exceptions import UserErrorException
from azureml.pipeline.core import Pipeline
from azureml.pipeline.steps import PythonScriptStep

GATE = """
import os, sys, time
name, folder = sys.argv[1:3]
open(os.path.join(folder, name + ".here"), "w").close()
while not os.path.exists(os.path.join(folder, name + ".go")):
    time.sleep(0.01)
"""


def gates(workspace, scripts, tmp_path: Path, target, *names: str, **pipeline):
    """Submit steps that each wait for their gate."""
    folder = str(scripts(gate=GATE))
    members = {"compute_target": target, "source_directory": folder, "allow_reuse": False}
    steps = [PythonScriptStep("gate.py", name, arguments=[name, str(tmp_path)], **members) for name in names]
    return Experiment(workspace, "gates").submit(Pipeline(workspace, steps), **pipeline)


def arrived(tmp_path: Path) -> set[str]:
    return {path.stem for path in tmp_path.glob("*.here")}


def open_gate(tmp_path: Path, *names: str) -> None:
    for name in names:
        (tmp_path / f"{name}.go").touch()


def cluster_of_the_idiom(workspace) -> ComputeTarget:
    """The first cell of many scripts."""
    try:
        target = ComputeTarget(workspace=workspace, name="cpu-cluster")
        print("found")
    except ComputeTargetException:
        config = AmlCompute.provisioning_configuration(vm_size="STANDARD_D2_V2", min_nodes=0, max_nodes=4)
        target = ComputeTarget.create(workspace, "cpu-cluster", config)
    target.wait_for_completion(show_output=True, min_node_count=None, timeout_in_minutes=20)
    print(target.get_status().serialize())
    return target


def test_the_idiom_creates_at_first_and_finds_later(workspace, capsys):
    first = cluster_of_the_idiom(workspace)
    lines = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"InProgress\.+", lines[0])
    assert [line for line in lines if line == "Succeeded"] == ["Succeeded", "Succeeded"]
    assert lines[1] == lines[3] == "Succeeded"
    assert "Succeeded" in lines[2]
    assert "" in lines, "a blank line stands before the last note"
    assert lines[-1].startswith("{'currentNodeCount': 0,")
    second = cluster_of_the_idiom(workspace)
    later = capsys.readouterr().out.splitlines()
    assert later[0] == "found"
    assert later[1:] == lines[3:], "an existing cluster says only what comes after the provisioning"
    assert isinstance(second, AmlCompute)
    assert (second.type, second.provisioning_state, second.created_on) == ("AmlCompute", "Succeeded", first.created_on)
    first.wait_for_completion(show_output=False)
    assert capsys.readouterr().out == ""
    assert [target.name for target in ComputeTarget.list(workspace)] == ["cpu-cluster"]
    assert {name: target.type for name, target in workspace.compute_targets.items()} == {"cpu-cluster": "AmlCompute"}


def test_a_name_that_is_missing_or_reserved(workspace):
    with pytest.raises(ComputeTargetException) as caught:
        ComputeTarget(workspace, "nobody")
    assert caught.value.message.startswith("ComputeTargetNotFound:")
    assert "nobody" in caught.value.message
    with pytest.raises(UserErrorException, match="amlcompute"):
        ComputeTarget.create(workspace, "amlcompute", AmlCompute.provisioning_configuration(max_nodes=1))


def test_nodes_and_runs_while_steps_run(workspace, scripts, tmp_path):
    target = ComputeTarget.create(workspace, "cpu", AmlCompute.provisioning_configuration(max_nodes=1, min_nodes=1))
    run = gates(workspace, scripts, tmp_path, target, "a", "b", tags={"who": "me"})
    wait_until(lambda: arrived(tmp_path))
    (name,) = arrived(tmp_path)
    wait_until(lambda: list(target.get_active_runs(status="Running")))  # it is written down a moment after the start
    status = target.get_status()
    assert (status.current_node_count, status.node_state_counts.running_node_count) == (1, 1)
    (node,) = target.list_nodes()
    assert (node["nodeState"], workspace.get_run(node["runId"]).name) == ("running", name)
    active = list(target.get_active_runs())
    assert {item.parent.id for item in active} == {run.id}
    assert len(active) == 2
    assert [item.id for item in target.get_active_runs(status="Running")] == [node["runId"]]
    assert list(target.get_active_runs(tags={"who": "nobody"})) == []
    with pytest.raises(ComputeTargetException, match="steps that run on it: 1"):
        target.delete()
    open_gate(tmp_path, "a", "b")
    assert run.wait_for_completion(show_output=False) == "Finished"
    assert list(target.get_active_runs()) == []
    assert [node["nodeState"] for node in target.list_nodes()] == ["idle"]
    target.delete()
    with pytest.raises(ComputeTargetException, match="ComputeTargetNotFound"):
        target.get_status()


def test_a_size_without_room_runs_one_step_at_a_time(workspace, scripts, tmp_path, monkeypatch):
    target = ComputeTarget.create(workspace, "huge", AmlCompute.provisioning_configuration(vm_size="Standard_M128s", max_nodes=4))
    if workspace._client.get_compute_target(workspace._id, "huge")["nodes_at_once"] > 1:
        pytest.skip("this machine has room for two of the largest size")
    run = gates(workspace, scripts, tmp_path, target, "a", "b", "c")
    seen: set[str] = set()
    for _ in range(3):
        wait_until(lambda: arrived(tmp_path) - seen)
        (name,) = arrived(tmp_path) - seen
        seen.add(name)
        assert len(target.list_nodes()) == 1
        open_gate(tmp_path, name)
    assert run.wait_for_completion(show_output=False) == "Finished"


def test_update_changes_what_the_service_reads(workspace):
    target = ComputeTarget.create(workspace, "cpu", AmlCompute.provisioning_configuration(vm_size="Standard_D1_v2", max_nodes=1))
    target.update(max_nodes=3)
    assert ComputeTarget(workspace, "cpu").scale_settings.maximum_node_count == 3
    with pytest.raises(ComputeTargetException, match="max_nodes"):
        target.update(max_nodes=0, min_nodes=0)
    sizes = {size["name"]: size for size in AmlCompute.supported_vmsizes(workspace)}
    assert sizes["Standard_NC6"]["gpus"] == 1


def test_an_instance_is_stopped_and_started(workspace, scripts, tmp_path):
    made = ComputeInstance.create(workspace, "mine", ComputeInstance.provisioning_configuration(vm_size="STANDARD_D3_V2"))
    made.wait_for_completion(show_output=True)
    for call, state in ((made.stop, "Stopped"), (made.start, "Running"), (made.restart, "Running")):
        call(wait_for_completion=True, show_output=True)
        shown = ComputeInstance(workspace, "mine").get_status().serialize()
        assert (shown["state"], shown["vmSize"]) == (state, "STANDARD_D3_V2")
        assert set(shown) == {"errors", "creationTime", "createdBy", "modifiedTime", "state", "vmSize"}
    open_gate(tmp_path, "a")
    assert gates(workspace, scripts, tmp_path, made, "a").wait_for_completion(show_output=False) == "Finished"
    with pytest.raises(ComputeTargetException, match="delete"):
        made.detach()
    made.delete()
    assert "mine" not in workspace.compute_targets


LOG = """
import os, sys, time
from azureml.core import Run
run, folder = Run.get_context(), sys.argv[1]
for number in range(500):
    run.log("before", number)
open(os.path.join(folder, "log.here"), "w").close()
while not os.path.exists(os.path.join(folder, "log.go")):
    run.log("meanwhile", 1)
    time.sleep(0.001)
for number in range(500):
    run.log("after", number * 0.5)
    run.log_row("table", number=number)
run.log_list("list", list(range(50)))
"""


def test_nothing_that_is_logged_is_lost_when_the_service_is_killed(workspace, home, scripts, tmp_path):
    step = PythonScriptStep("log.py", "log", arguments=[str(tmp_path)], compute_target="local", source_directory=str(scripts(log=LOG)))
    run = Experiment(workspace, "logs").submit(Pipeline(workspace, [step]))
    wait_until(lambda: arrived(tmp_path))
    assert kill_service(home)
    open_gate(tmp_path, "log")  # the rest is logged while no service is there, or a new one begins
    assert run.wait_for_completion(show_output=False) == "Finished"
    (done,) = run.get_children()
    metrics = done.get_metrics()
    assert metrics["before"] == list(range(500))
    assert metrics["after"] == [number * 0.5 for number in range(500)]
    assert metrics["table"] == {"number": list(range(500))}
    assert metrics["list"] == list(range(50))
    lines = Path(done._client.get_run(done.id)["folder"], "metrics.jsonl").read_text().splitlines()
    assert all(json.loads(line) for line in lines)
