from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.compile.fingerprints import Content, components, definition_id, differences, reuse_key
from penstock.model.graph import Argument, ComputeRef, InputPort, OutputPort, PortRef, Registration, StepNode, StepParameter

PYTHON = "cpython 3.11.7"


def make_step(input_name="raw", output_name="out", literal="--rate", **members) -> StepNode:
    return StepNode(
        id=members.pop("id", "n1"),
        name=members.pop("name", "train"),
        script="train.py",
        snapshot="s1",
        arguments=(
            Argument("literal", literal),
            Argument("input", input_name),
            Argument("output", output_name),
            Argument("parameter", "p"),
        ),
        inputs=(InputPort(input_name, PortRef("n0", "data")),),
        outputs=members.pop("outputs", (OutputPort(output_name, "store"),)),
        parameters=(StepParameter("p", pipeline_parameter="p"),),
        **members,
    )


def key(step: StepNode, value=1, content="c1", python=PYTHON, definition=None) -> str:
    return reuse_key(components(step, {"p": value}, {step.inputs[0].name: Content(content, definition)}, python))


@given(st.from_regex(r"[a-z]{1,8}_[0-9a-f]{8}", fullmatch=True), st.from_regex(r"[A-Z]{1,8}_[0-9a-f]{8}", fullmatch=True))
def test_names_of_data_ids_and_compute_do_not_count(first, second):
    usual = make_step()
    other = make_step(first, second, id="n9", compute=ComputeRef("gpu", "AmlCompute"))
    assert key(usual) == key(other)


@pytest.mark.parametrize(
    "text",
    [
        "--in=$AZUREML_DATAREFERENCE_{input}/sub",
        "--in=${{AZUREML_DATAREFERENCE_{input}}}/sub:$AZURE_ML_OUTPUT_{output}",
        "DatasetConsumptionConfig:{input}",
        "--out=DatasetOutputConfig:{output}/sub",
    ],
)
def test_a_name_inside_a_text_does_not_count_either(text: str):
    names = [("input_1a2b3c4d", "output_1a2b3c4d"), ("input_99999999", "output_1a2b3c4d0")]
    first, second = (make_step(*pair, literal=text.format(input=pair[0], output=pair[1])) for pair in names)
    assert key(first) == key(second)


def test_the_name_of_a_dataset_counts_when_it_was_given():
    def of(name: str) -> str:
        step = make_step(name)
        return key(replace(step, inputs=(replace(step.inputs[0], dataset={}),)))

    assert of("train") != of("test"), "the script asks for run.input_datasets['train']"
    assert of("input__1a2b3c4d") == of("input__99999999") == of("input_1a2b3c4d")


def test_how_an_output_is_read_and_registered_does_not_count():
    plain, named = OutputPort("out", "store"), OutputPort("out", "store", dataset={}, registration=Registration("table"))
    assert key(make_step(outputs=(plain,))) == key(make_step(outputs=(named,)))


@pytest.mark.parametrize(
    "change",
    [
        {"snapshot": "s2"},
        {"name": "renamed"},
        {"script": "other.py"},
        {"version": "2"},
        {"arguments": ()},
        {"run_config": {"environment": {"python": {"condaDependencies": {"dependencies": ["numpy"]}}}}},
        {"run_config": {"environmentVariables": {"A": "1"}}},
        {"outputs": (OutputPort("out", "elsewhere"),)},
        {"outputs": (OutputPort("out", "store", destination="tables/{run-id}"),)},
        {"outputs": (OutputPort("out", "store", mode="upload", source_globs=("*.csv",)),)},
    ],
)
def test_what_decides_the_result_counts(change):
    step = make_step()
    assert key(step) != key(replace(step, **change))


def test_values_contents_and_interpreters_count():
    step = make_step()
    others = [key(step, value=2), key(step, content="c2"), key(step, python="cpython 3.12.0"), key(step, definition="d1")]
    assert len({key(step), *others}) == 5


def test_the_name_of_an_environment_does_not_count():
    first = make_step(run_config={"environment": {"name": "a", "version": "1", "python": {"x": 1}}})
    second = make_step(run_config={"environment": {"name": "b", "python": {"x": 1}}})
    assert key(first) == key(second)


def test_differences_name_the_deepest_component():
    old = components(make_step(), {"p": 1}, {"raw": Content("c1")}, PYTHON)
    new = components(make_step(literal="--speed"), {"p": 2}, {"raw": Content("c2")}, PYTHON)
    assert [(item.component, item.old, item.new) for item in differences(old, new)] == [
        ("arguments[0]", "--rate", "--speed"),
        ("arguments[3]", "1", "2"),
        ("inputs[0].content", "c1", "c2"),
        ("parameters.p", "1", "2"),
    ]


def test_definitions_know_names_but_no_values():
    assert definition_id(make_step()) != definition_id(make_step(name="other"))
    assert definition_id(make_step()) == definition_id(make_step(id="n2"))
