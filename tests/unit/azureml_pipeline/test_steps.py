from __future__ import annotations

from typing import Any

import pytest

from azureml.data.data_reference import DataReference
from azureml.data.datapath import DataPath, DataPathComputeBinding
from azureml.pipeline.core import InputPortBinding, OutputPortBinding, PipelineData, PipelineParameter, PipelineStep, TrainingOutput
from azureml.pipeline.steps import PythonScriptStep
from penstock.model.graph import Argument


def kinds(step: PythonScriptStep) -> Any:
    resolved = step.resolve_input_arguments(step._arguments, step._inputs, step._outputs, step._params)
    return [(item.kind, item.value) for item in resolved]


def test_a_step_leaves_the_callers_lists_alone() -> None:
    data, shared = PipelineData("shared"), PipelineData("other", output_name="shared")
    arguments, inputs, outputs = ["--in", data, 1], [data], [shared]
    PythonScriptStep("a.py", arguments=arguments, inputs=inputs, outputs=outputs)
    assert arguments == ["--in", data, 1]
    assert inputs == [data]
    assert outputs == [shared]


def test_every_kind_of_argument_finds_its_meaning(workspace: Any) -> None:
    read, written = PipelineData("read"), PipelineData("written", output_name="port")
    reference = DataReference(workspace.store, "ref", "some/path")
    path = PipelineParameter("where", DataPath(workspace.store, "a/b", name="place"))
    pair = (path, DataPathComputeBinding())
    step = PythonScriptStep(
        "a.py",
        arguments=[
            "--x",
            1,
            None,
            True,
            read,
            written,
            reference.as_mount(),
            pair,
            path,
            PipelineParameter("rate", 0.5),
            "parameter:p",
            "parameter:q",
        ],
        inputs=[read.as_download(), reference, pair],
        outputs=[written],
        params={"p": 1},
    )
    assert kinds(step) == [
        ("literal", "--x"),
        ("literal", "1"),
        ("literal", "None"),
        ("literal", "True"),
        ("input", "read"),
        ("output", "port"),
        ("input", "ref"),
        ("input", "place"),
        ("input", "place"),
        ("parameter", "rate"),
        ("parameter", "p"),
        ("literal", "parameter:q"),
    ]


def test_the_input_wins_where_data_is_input_and_output() -> None:
    data = PipelineData("data")
    step = PythonScriptStep("a.py", arguments=[data], inputs=[data.as_input("again")], outputs=[data])
    assert kinds(step) == [("input", "again")]


def test_an_input_with_the_name_of_an_output_is_renamed_with_its_arguments() -> None:
    before, after = PipelineData("model"), PipelineData("model2", output_name="model")
    step = PythonScriptStep("a.py", arguments=["--in", before, "--out", after], inputs=[before], outputs=[after])
    assert kinds(step) == [("literal", "--in"), ("input", "INPUT_model"), ("literal", "--out"), ("output", "model")]


def test_the_base_class_refuses_what_script_steps_rename() -> None:
    with pytest.raises(ValueError, match="input and an output named 'model'"):
        PipelineStep("s", [PipelineData("model")], [PipelineData("other", output_name="model")])


@pytest.mark.parametrize("listed", ["inputs", "outputs"])
def test_two_ports_with_one_name_are_refused(listed: str) -> None:
    with pytest.raises(ValueError, match=f"two {listed} named 'x'"):
        PythonScriptStep("a.py", **{listed: [PipelineData("x"), PipelineData("x")]})


def test_data_in_arguments_must_be_an_input_or_output() -> None:
    with pytest.raises(ValueError, match=r"'a\.py' has the PipelineData 'x' in its arguments, but neither"):
        PythonScriptStep("a.py", arguments=[PipelineData("x")])


def test_a_data_path_parameter_needs_its_binding(workspace: Any) -> None:
    parameter = PipelineParameter("where", DataPath(workspace.store, "a"))
    with pytest.raises(ValueError, match="DataPathComputeBinding"):
        PythonScriptStep("a.py", arguments=[parameter])
    with pytest.raises(ValueError, match="DataPathComputeBinding"):
        PythonScriptStep("a.py", inputs=[parameter])
    with pytest.raises(ValueError, match="must be a pair"):
        PythonScriptStep("a.py", inputs=[(parameter,)])


@pytest.mark.parametrize("wrong", ["text", 3, object()])
def test_inputs_and_outputs_of_other_types_are_refused(wrong: Any) -> None:
    with pytest.raises(ValueError, match="input of an unexpected type"):
        PythonScriptStep("a.py", inputs=[wrong])
    with pytest.raises(ValueError, match="output of an unexpected type"):
        PythonScriptStep("a.py", outputs=[wrong])


def test_a_list_is_asked_for_where_one_is_needed() -> None:
    with pytest.raises(ValueError, match=r"Write inputs=\[...\]"):
        PythonScriptStep("a.py", inputs=PipelineData("x"))  # type: ignore[arg-type]


def test_a_data_reference_for_upload_is_no_input(workspace: Any) -> None:
    with pytest.raises(ValueError, match="mode 'upload'"):
        PythonScriptStep("a.py", inputs=[DataReference(workspace.store, "out", "x", mode="upload")])


def test_the_name_defaults_to_the_script_and_the_type_to_the_class() -> None:
    step = PythonScriptStep("folder/a.py")
    assert (step.name, step.step_type, step.run_after_steps) == ("folder/a.py", "PythonScriptStep", [])


@pytest.mark.parametrize("script", [None, "", 3])
def test_a_script_name_is_needed(script: Any) -> None:
    with pytest.raises(ValueError, match="script_name"):
        PythonScriptStep(script)


def test_a_parameter_of_two_meanings_is_refused() -> None:
    with pytest.raises(Exception, match="already in use"):
        PythonScriptStep("a.py", arguments=[PipelineParameter("p", 1)], params={"p": 2})
    with pytest.raises(Exception, match="already in use"):
        PythonScriptStep("a.py", arguments=[PipelineParameter("p", 1), PipelineParameter("p", 2)])
    PythonScriptStep("a.py", arguments=[PipelineParameter("p", 1), PipelineParameter("p", 1)], params={"p": PipelineParameter("p", 1)})


def test_run_settings_take_the_four_names_and_parameters_only() -> None:
    count = PipelineParameter("count", 2)
    assert PythonScriptStep("a.py", runconfig_pipeline_params={"NodeCount": count})._runconfig_pipeline_params == {"NodeCount": count}
    with pytest.raises(ValueError, match="can't set 'Nodes'"):
        PythonScriptStep("a.py", runconfig_pipeline_params={"Nodes": count})
    with pytest.raises(ValueError, match="must be a PipelineParameter"):
        PythonScriptStep("a.py", runconfig_pipeline_params={"NodeCount": 2})  # type: ignore[dict-item]
    with pytest.raises(ValueError, match="both a parameter of the script"):
        PythonScriptStep("a.py", arguments=[count], runconfig_pipeline_params={"NodeCount": count})


def test_hash_paths_only_warns(caplog: pytest.LogCaptureFixture) -> None:
    PythonScriptStep("a.py", hash_paths=["x"])
    assert "hash_paths" in caplog.text


@pytest.mark.parametrize("default", [None, [], {}, object()])
def test_a_parameter_needs_a_default_of_a_known_type(default: Any) -> None:
    with pytest.raises(ValueError, match="default"):
        PipelineParameter("p", default)


def test_texts_that_users_embed() -> None:
    assert str(PipelineData("x")) == "$AZUREML_DATAREFERENCE_x"
    assert f"{PipelineData('x').as_input('y')}/sub" == "$AZUREML_DATAREFERENCE_y/sub"
    assert str(OutputPortBinding("x")) == "$AZUREML_DATAREFERENCE_x"
    assert str(PipelineParameter("n", 3)) == "PipelineParameter_Name:n_Default:3"


@pytest.mark.parametrize("name", ["", "a-b", "a b", "a/b", None])
def test_names_of_data_are_words(name: Any) -> None:
    with pytest.raises(ValueError, match="letters, digits and underscores"):
        PipelineData(name)


def test_modes_are_checked() -> None:
    with pytest.raises(ValueError, match="mode 'direct'"):
        PipelineData("x", output_mode="direct")
    with pytest.raises(ValueError, match="mode 'upload'"):
        PipelineData("x").create_input_binding(mode="upload")
    with pytest.raises(ValueError, match="needs a bind_object"):
        InputPortBinding("x")
    binding = PipelineData("x").as_mount()
    with pytest.raises(ValueError, match="mode 'nfs'"):
        binding.bind_mode = "nfs"


@pytest.mark.parametrize(("kind", "facts"), [("other", {}), ("Metrics", {"iteration": 1}), ("Model", {"iteration": 1, "metric": "AUC"})])
def test_training_outputs_are_checked(kind: str, facts: Any) -> None:
    with pytest.raises(ValueError, match="TrainingOutput"):
        TrainingOutput(kind, **facts)


def test_public_helpers_serve_steps_of_ones_own() -> None:
    data = PipelineData("x")
    assert PipelineStep.resolve_input_arguments(["a", data], [], [data], None) == [Argument("literal", "a"), Argument("output", "x")]
    with pytest.raises(ValueError, match="neither in its inputs"):
        PipelineStep.validate_arguments([data], [], [])
    with pytest.raises(NotImplementedError, match="create_node"):
        PipelineStep("s", None, None).create_node(None, None, None)


def test_a_training_output_belongs_to_training_steps() -> None:
    step = PipelineStep("s", [], [])
    outputs = [OutputPortBinding("m", "store", training_output=TrainingOutput("Metrics"))]
    with pytest.raises(ValueError, match="TrainingOutput"):
        step.create_module_def("escloud", [], outputs)
