"""How many nodes of a size fit on a machine, whatever they are called."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.model.vm_sizes import Machine, find_cores, find_vm_size, list_vm_sizes, nodes_at_once, vm_size_of

NAMES = [size["name"] for size in list_vm_sizes()]
MACHINES = st.builds(Machine, st.integers(1, 256), st.integers(0, 16))


@given(st.sampled_from(NAMES), st.integers(1, 1000), MACHINES)
def test_never_more_than_there_is_room_for_and_never_none(name: str, max_nodes: int, machine: Machine) -> None:
    size, nodes = find_vm_size(name), nodes_at_once(max_nodes, name, machine)
    assert size is not None
    assert 1 <= nodes <= max_nodes
    assert nodes == 1 or nodes * size.cores <= machine.cores
    assert nodes == 1 or not machine.gpus or nodes * size.gpus <= machine.gpus


@given(st.sampled_from(NAMES), st.integers(1, 1000), MACHINES)
def test_as_many_as_fit(name: str, max_nodes: int, machine: Machine) -> None:
    size, nodes = find_vm_size(name), nodes_at_once(max_nodes, name, machine)
    assert size is not None
    more_cores = (nodes + 1) * size.cores > machine.cores
    more_gpus = bool(machine.gpus) and (nodes + 1) * size.gpus > machine.gpus
    assert nodes == max_nodes or more_cores or more_gpus


@pytest.mark.parametrize(
    ("name", "cores", "gpus"),
    [
        ("STANDARD_D2_V2", 2, 0),
        ("STANDARD_DS2_V2", 2, 0),
        ("Standard_DS3_v2", 4, 0),
        ("standard_ds11_v2", 2, 0),
        ("DS12_V2", 4, 0),
        (" Standard_NC6 ", 6, 1),
        ("STANDARD_NC12", 12, 2),
        ("Standard_NC24rs_v3", 24, 4),
    ],
)
def test_sizes_of_usual_scripts(name: str, cores: int, gpus: int) -> None:
    size = find_vm_size(name)
    assert size is not None
    assert (size.cores, size.gpus) == (cores, gpus)


@pytest.mark.parametrize(
    ("name", "cores"), [("Standard_D96ads_v5", 96), ("STANDARD_E4-2DS_V5", 2), ("Standard_NC96ads_H100_v5", 96), ("Standard_E20_v3", 20)]
)
def test_names_of_later_sizes_tell_their_cores(name: str, cores: int) -> None:
    assert find_vm_size(name) is None
    assert find_cores(name) == cores


@pytest.mark.parametrize("name", [None, "", "x", "Standard_Huge", "Standard_G5", "my own machine", "Standard_D", "Standard_D_v5"])
def test_a_size_that_nobody_knows_asks_for_nothing(name: str | None) -> None:
    assert find_cores(name) is None
    assert nodes_at_once(7, name, Machine(8)) == 7
    assert nodes_at_once(7, name, Machine(2)) == 2, "more than one on a core is more than there is room for"


def test_a_size_without_room_still_runs() -> None:
    assert nodes_at_once(4, "Standard_M128s", Machine(2)) == 1
    assert nodes_at_once(4, "Standard_NC24", Machine(64, gpus=1)) == 1
    assert nodes_at_once(4, "Standard_NC6", Machine(64)) == 4, "without GPUs nobody counts them"


def test_sizes_have_names_of_their_own() -> None:
    assert len({name.lower() for name in NAMES}) == len(NAMES)
    assert {"name", "vCPUs", "gpus", "memoryGB", "maxResourceVolumeMB"} == set(list_vm_sizes()[0])


@pytest.mark.parametrize(("definition", "size"), [({}, None), ({"vm_size": ""}, None), ({"vm_size": 3}, None), ({"vm_size": "x"}, "x")])
def test_size_of_a_definition(definition: dict[str, object], size: str | None) -> None:
    assert vm_size_of(definition) == size
