"""Modules: published, found, resolved and put into pipelines through v1's classes, with a real service behind them."""

from __future__ import annotations

import logging
import os
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from azureml.core import Experiment, Workspace
from azureml.core.runconfig import RunConfiguration
from azureml.data import OutputFileDatasetConfig
from azureml.data.data_reference import DataReference
from azureml.exceptions import ServiceException, SnapshotException
from azureml.pipeline.core import Module, ModuleVersion, Pipeline, PipelineData, PipelineParameter
from azureml.pipeline.core._document import from_document, to_document
from azureml.pipeline.core._errors import ModuleError
from azureml.pipeline.core._restclients.aeva.models.error_response import ErrorResponseException
from azureml.pipeline.core.graph import InputPortBinding, InputPortDef, OutputPortBinding, OutputPortDef, ParamDef
from azureml.pipeline.steps import ModuleStep, PythonScriptStep
from penstock.model.errors import AlreadyExists, Invalid, NotFound
from penstock.model.graph import Argument, format_graph

EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"  # the snapshot of an empty folder


@pytest.fixture
def workspace(rest: Any, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A workspace of the test's own, as v1's class, on the service of this process."""
    monkeypatch.setenv("PENSTOCK_HOME", str(rest.home.path))
    monkeypatch.delenv("AZUREML_RUN_ID", raising=False)
    name = f"ws-{uuid.uuid4().hex[:12]}"
    rest.workspace_id = rest.client.create_workspace(name, "sub", "group")["id"]
    return Workspace.get(name, subscription_id="sub", resource_group="group")


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A source folder with scripts, in the current folder."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "calc"
    folder.mkdir()
    (folder / "calculate.py").write_text("print('calculating')")
    return folder


@pytest.fixture
def module(workspace: Workspace, source: Path) -> Module:
    return Module.create(workspace, "Calc", "adds and multiplies")


def publish(module: Module, version: str | None = None, **more: Any) -> ModuleVersion:
    """Publish a version with an input, an optional one, two outputs and two parameters."""
    about = {
        "inputs": [InputPortDef("data", label="what is read"), InputPortDef("extra", is_optional=True)],
        "outputs": [
            OutputPortDef("sum", default_datastore_name="workspaceblobstore", default_datastore_mode="mount"),
            OutputPortDef("rest"),
        ],
        "params": {"rate": 0.5, "label": "x"},
        "source_directory": "calc",
        **more,
    }
    return module.publish_python_script("calculate.py", "first", version=version, **about)


def data(name: str, **more: Any) -> PipelineData:
    return PipelineData(name, is_directory=True, **more)


def only_step(workspace: Workspace, step: Any) -> Any:
    """Return what a graph of this step, and of what it needs, says of it."""
    graph = Pipeline(workspace, steps=[step]).graph
    assert graph.validate() == []
    return next(item for item in to_document(graph).steps if item.name == step.name)


def words(step: Any) -> list[str]:
    return [item.value if item.kind == "literal" else f"{item.kind}:{item.value}" for item in step.arguments]


# Modules


def test_a_module_is_found_by_name_and_by_id(workspace: Workspace, module: Module) -> None:
    assert (module.name, module.description, module.status, module.default_version) == ("Calc", "adds and multiplies", "Active", None)
    assert Module.get(workspace, name="Calc").id == module.id == Module.get(workspace, module_id=module.id).id
    assert Module.get(workspace, module.id, name="another").name == "Calc"  # the id wins
    assert module.module_version_list() == Module.get_versions(workspace, "Calc") == []
    with pytest.raises(Exception, match="Say which module is meant"):
        Module.get(workspace)
    with pytest.raises(ErrorResponseException, match=r"no module 'Clac' in workspace .* Did you mean 'Calc'"):
        Module.get(workspace, name="Clac")


def test_a_name_belongs_to_one_module(workspace: Workspace, module: Module) -> None:
    with pytest.raises(ErrorResponseException, match="already a module named 'Calc'"):
        Module.create(workspace, "Calc", "again")
    other = Module.create(workspace, "Other", None)
    with pytest.raises(ErrorResponseException, match="already a module named 'Calc'; 'Other' keeps its name"):
        other.set_name("Calc")
    other.set_name("Another")
    other.set_description("described")
    assert (other.name, Module.get(workspace, name="Another").description) == ("Another", "described")
    for change in (other.set_name, other.set_description):
        with pytest.raises(ModuleError, match="None can't be"):
            change(None)  # type: ignore[arg-type]
    with pytest.raises(ModuleError, match="None can't be the name"):
        Module.create(workspace, None, None)  # type: ignore[arg-type]
    with pytest.raises(ServiceException, match="no slashes"):
        Module.create(workspace, "a/b", None)


def test_status_is_kept(workspace: Workspace, module: Module) -> None:
    for change, status in ((module.disable, "Disabled"), (module.deprecate, "Deprecated"), (module.enable, "Active")):
        change()
        assert module.status == Module.get(workspace, name="Calc").status == status


# Versions


def test_a_version_says_what_it_is(workspace: Workspace, module: Module) -> None:
    made = publish(module, "1", category="arithmetic", arguments=["--rate", PipelineParameter("rate", 3), InputPortDef("data")])
    version = ModuleVersion.get(workspace, made.module_version_id)
    assert (version.version, version.description, version.category, version.status) == ("1", "first", "arithmetic", "Active")
    assert (version.module_id, version.module().name, version.runconfig) == (module.id, "Calc", None)
    assert [(port.name, port.is_optional, port.label) for port in version.interface.inputs] == [
        ("data", False, "what is read"),
        ("extra", True, None),
    ]
    assert [(port.name, port.default_datastore_name) for port in version.interface.outputs] == [
        ("sum", "workspaceblobstore"),
        ("rest", None),
    ]
    assert [(item.name, item.default_value) for item in version.interface.parameters] == [("rate", 0.5), ("label", "x")]
    assert version.interface.arguments == [Argument("literal", "--rate"), Argument("parameter", "rate"), Argument("input", "data")]
    assert [(item.version, item.module_version_id) for item in module.module_version_list()] == [("1", version.module_version_id)]


def test_versions_are_counted_where_none_is_named(module: Module) -> None:
    assert [publish(module, name).version for name in (None, None, "7.5", None, "beta", None)] == ["1", "2", "7.5", "8", "beta", "9"]


def test_a_version_never_changes(module: Module, source: Path) -> None:
    version = publish(module, "1")
    (source / "calculate.py").write_text("print('something else')")
    with pytest.raises(Exception, match="'Calc' already has a version '1', and a version never changes") as caught:
        publish(module, "1")
    assert isinstance(caught.value, ModuleError)
    assert publish(module)._definition.snapshot != version._definition.snapshot


def test_a_version_can_be_described_and_disabled(workspace: Workspace, module: Module) -> None:
    version = publish(module)
    version.set_description("slow")
    version.disable()
    assert (version.status, ModuleVersion.get(workspace, version.module_version_id).description) == ("Disabled", "slow")
    version.deprecate()
    version.enable()
    assert version.status == "Active"
    with pytest.raises(ModuleError, match="None can't be the description"):
        version.set_description(None)  # type: ignore[arg-type]
    with pytest.raises(ModuleError, match="Say which version"):
        ModuleVersion.get(workspace)
    with pytest.raises(ErrorResponseException, match="no version of a module with the id 'nothing'"):
        ModuleVersion.get(workspace, "nothing")


def test_the_run_configuration_comes_back(module: Module) -> None:
    run_config = RunConfiguration()
    run_config.environment_variables = {"A": "B"}
    assert publish(module, runconfig=run_config).runconfig.environment_variables == {"A": "B"}


def test_bindings_stand_for_definitions(module: Module) -> None:
    out = OutputPortBinding("sum", bind_mode="upload", path_on_compute="x")
    read = InputPortBinding("data", data("d"), bind_mode="download")
    made = publish(module, inputs=[read], outputs=[out], arguments=[read, out, OutputPortDef("sum")]).interface
    assert (made.inputs[0].default_datastore_mode, made.outputs[0].default_path_on_compute) == ("download", "x")
    assert made.arguments == [Argument("input", "data"), Argument("output", "sum"), Argument("output", "sum")]


def test_parameters_in_all_their_forms(module: Module) -> None:
    params = {"a": ParamDef("a", 1, is_optional=True), "b": PipelineParameter("x", "y"), "c": True, "d": None}
    made = publish(module, params=params, arguments=[PipelineParameter("brought", 2.5), "parameter:a", "parameter:unknown"]).interface
    found = {item.name: (item.default_value, item.is_optional) for item in made.parameters}
    assert found == {"a": (1, True), "b": ("y", False), "c": (True, False), "d": (None, False), "brought": (2.5, False)}
    assert made.arguments == [Argument("parameter", "brought"), Argument("parameter", "a"), Argument("literal", "parameter:unknown")]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"source_directory": "clac"}, "source directory 'clac' does not exist.* Did you mean 'calc'"),
        ({"inputs": [DataReference]}, "describe the port"),
        ({"inputs": [InputPortDef("a"), InputPortDef("a")]}, "two inputs named 'a'"),
        ({"outputs": [OutputPortDef("a b")]}, "'a b' can't be the name of one of its outputs"),
        ({"inputs": [InputPortDef("a", default_datastore_mode="hdfs")]}, "mode 'hdfs'"),
        ({"params": ["rate"]}, "must be a dictionary"),
        ({"params": {"rate": object()}}, "Give a text, a number or a truth value"),
        ({"arguments": [5]}, "has 5 in its arguments, a int"),
        ({"arguments": [InputPortDef("dta")]}, "has the input 'dta' in its arguments.* Did you mean 'data'"),
        ({"runconfig": "a.runconfig"}, "runconfig must be a RunConfiguration"),
    ],
)
def test_what_can_not_be_published(module: Module, wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=f"(?i)(?s){words}"):
        publish(module, **wrong)
    assert module.module_version_list() == []


def test_the_script_must_be_in_the_folder(module: Module, source: Path) -> None:
    with pytest.raises(ValueError, match=r"no script 'calculat.py' in .* Did you mean 'calculate.py'"):
        module.publish_python_script("calculat.py", "", [], [], source_directory="calc")
    (source / ".amlignore").write_text("calculate.py")
    with pytest.raises(ValueError, match="leaves out the script"):
        publish(module)
    (source / ".amlignore").unlink()
    (source / "outputs").write_text("a file where every run has a folder")
    with pytest.raises(SnapshotException, match="The module 'Calc'"):
        publish(module)


def test_other_kinds_of_execution_refuse_by_name(module: Module) -> None:
    with pytest.raises(NotImplementedError, match="publish_adla_script is not part"):
        module.publish_adla_script("a.usql", "", [], [])
    with pytest.raises(NotImplementedError, match="publish_azure_batch is not part"):
        module.publish_azure_batch("", None, [], [])
    with pytest.raises(NotImplementedError, match="execution type 'AdlCloud'"):
        module.publish("", "AdlCloud", [], [])
    with pytest.raises(ValueError, match="Nothing says which script"):
        module.publish("", "escloud", [], [])
    version = module.publish("d", "escloud", [], [], param_defs=[ParamDef("Script", "calculate.py"), ParamDef("a", 1)], content_path="calc")
    assert [item.name for item in version.interface.parameters] == ["a"]


# Which version is meant


def test_resolving_follows_the_default_then_the_numbers(module: Module, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(ErrorResponseException, match="has no versions yet"):
        module.resolve()
    for name in ("2", "10", "9.9"):
        publish(module, name)
    assert module.resolve().version == "10"
    with pytest.raises(ModuleError, match="no default version"):
        module.get_default()
    module.set_default_version("2")
    assert (module.get_default_version(), module.get_default().version, module.resolve().version) == ("2", "2", "2")
    assert module.resolve("9.9").version == "9.9"
    with caplog.at_level(logging.WARNING, "penstock"):
        assert module.resolve("9.8").version == "2"
    assert "has no version '9.8'. Did you mean '9.9'? Its default version '2' is taken instead" in caplog.text
    with pytest.raises(ModuleError, match="no version '11'"):
        module.set_default_version("11")


def test_what_is_disabled_is_taken_by_name_only(module: Module) -> None:
    first, last = publish(module, "1"), publish(module, "2", is_default=True)
    assert module.get_default_version() == "2"
    last.disable()
    assert (module.resolve().version, module.resolve("2").version) == ("1", "2")
    with pytest.raises(ErrorResponseException, match="is disabled, so it can't be the default"):
        module.set_default_version("2")
    first.disable()
    with pytest.raises(ErrorResponseException, match="has only disabled versions"):
        module.resolve()


_NAME = st.from_regex(r"[0-9]{1,3}(\.[0-9]{1,2}){0,2}", fullmatch=True) | st.sampled_from(["alpha", "beta", "1-rc"])


@given(
    versions=st.lists(st.tuples(_NAME, st.sampled_from(["Active", "Deprecated", "Disabled"])), max_size=5, unique_by=lambda item: item[0]),
    default=st.integers(0, 8),
    asked=st.none() | st.integers(0, 8),
)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_set_of_versions_resolves_by_the_rule(rest: Any, versions: list[tuple[str, str]], default: int, asked: int | None) -> None:
    client, place = rest.client, rest.workspace_id
    client.put_snapshot(EMPTY, [])
    module = client.create_module(place, uuid.uuid4().hex)["id"]
    for name, status in versions:
        made = client.publish_module_version(place, module, {"format": 1, "script": "a.py", "snapshot": EMPTY}, version=name)
        client.update_module_version(place, made["id"], status=status)
    chosen = versions[default][0] if default < len(versions) and versions[default][1] != "Disabled" else None
    if chosen:
        client.update_module(place, module, default_version=chosen)
    wanted = versions[asked][0] if asked is not None and asked < len(versions) else "no such" if asked else None
    able = [name for name, status in versions if status != "Disabled"]
    if wanted in dict(versions):
        expected = wanted
    elif not able:
        with pytest.raises(NotFound):
            client.resolve_module_version(place, module, wanted)
        return
    elif chosen:
        expected = chosen
    elif any(not part.isdigit() for name in able for part in name.split(".")):
        expected = able[-1]  # changed last
    else:
        highest = max([int(part) for part in name.split(".")] for name in able)
        found = client.resolve_module_version(place, module, wanted)["version"]
        assert [int(part) for part in found.split(".")] == highest
        return
    assert client.resolve_module_version(place, module, wanted)["version"] == expected


def test_a_request_sent_twice_counts_once(rest: Any) -> None:
    client, place, request_id = rest.client, rest.workspace_id, str(uuid.uuid4())
    client.put_snapshot(EMPTY, [])

    def send(path: str, **document: Any) -> Any:
        return client._transport.call("POST", f"/workspaces/{place}/modules{path}", document={"request_id": request_id, **document})

    made = send("", name="once")
    assert send("", name="once") == made
    definition = {"format": 1, "script": "a.py", "snapshot": EMPTY}
    version = send("/once/versions", definition=definition)
    assert send("/once/versions", definition=definition) == version
    assert [item["version"] for item in client.get_module(place, "once")["versions"]] == ["1"]
    with pytest.raises(AlreadyExists):
        client.create_module(place, "once")


@pytest.mark.parametrize(
    ("definition", "words"),
    [
        ({}, "'format' is 1"),
        ({"format": 1}, "snapshot"),
        ({"format": 1, "script": "a.py", "snapshot": "0" * 64}, "was not sent"),
        ({"format": 1, "script": "a.py", "snapshot": EMPTY, "inputs": [{"name": 5}]}, "ModuleDefinition.inputs"),
        ({"format": 1, "script": "a.py", "snapshot": EMPTY, "inputs": 5}, "not the definition of a module"),
        ({"format": 1, "script": "a.py", "snapshot": EMPTY, "outputs": [{"nme": "a"}]}, "nme"),
        ({"format": 1, "script": "a.py", "snapshot": EMPTY, "run_config": {"environment": 5}}, "environment must be an object"),
        ({"format": 1, "script": "a.py", "snapshot": EMPTY, "arguments": [{"kind": "input", "value": "x"}]}, "names the input 'x'"),
        ({"format": 1, "script": "a.py", "snapshot": EMPTY, "parameters": [{"name": "a"}, {"name": "a"}]}, "'a' is defined twice"),
    ],
)
def test_a_wrong_definition_is_refused_in_words(rest: Any, definition: dict[str, Any], words: str) -> None:
    rest.client.put_snapshot(EMPTY, [])
    module = rest.client.create_module(rest.workspace_id, uuid.uuid4().hex)["id"]
    with pytest.raises(Invalid, match=words):
        rest.client.publish_module_version(rest.workspace_id, module, definition)


# Steps


def test_a_step_takes_script_and_folder_from_its_version(workspace: Workspace, module: Module, source: Path) -> None:
    version = publish(
        module, "1", arguments=["--in", InputPortDef("data"), "--extra", InputPortDef("extra"), OutputPortDef("sum"), "--end"]
    )
    os.remove(source / "calculate.py")
    maker = PythonScriptStep("make.py", name="make", outputs=[data("made")], source_directory=_folder(source), compute_target="local")
    step = only_step(workspace, ModuleStep(module, inputs_map={"data": maker._outputs[0]}, outputs_map={"sum": data("total")}))
    assert (step.name, step.step_type, step.script, step.snapshot) == (
        "Calc",
        "PythonScriptStep",
        "calculate.py",
        version._definition.snapshot,
    )
    assert step.module == {"id": module.id, "version": "1", "version_id": version.module_version_id}
    assert [(port.name, port.source.port, port.mode) for port in step.inputs] == [("data", "made", "mount")]
    assert [(port.name, port.datastore) for port in step.outputs] == [("sum", "workspaceblobstore"), ("rest", "workspaceblobstore")]
    assert words(step) == ["--in", "input:data", "output:sum", "--end"]  # what may be left out took its option with it
    assert {item.name: item.value for item in step.parameters} == {"rate": 0.5, "label": "x"}


def _folder(source: Path) -> str:
    folder = source.parent / "make"
    folder.mkdir(exist_ok=True)
    (folder / "make.py").write_text("")
    return str(folder)


def test_a_step_sets_arguments_parameters_and_run_settings_anew(workspace: Workspace, module: Module, source: Path) -> None:
    publish(module, "1", arguments=["never"])
    made, total = data("made"), data("total", pipeline_output_name="all")
    maker = PythonScriptStep("make.py", name="make", outputs=[made], source_directory=_folder(source), compute_target="local")
    run_config = RunConfiguration()
    run_config.environment_variables = {"A": "B"}
    step = only_step(
        workspace,
        ModuleStep(
            module,
            version="1",
            inputs_map={"data": made.as_download(), "extra": maker._outputs[0].as_input("again")},
            outputs_map={"rest": total},
            runconfig=run_config,
            compute_target="local",
            name="mine",
            params={"rate": PipelineParameter("speed", 2.5), "label": "y"},
            arguments=["--in", made, "--out", total, PipelineParameter("more", 1), OutputPortDef("sum"), "parameter:label"],
            runconfig_pipeline_params={"NodeCount": PipelineParameter("nodes", 1)},
        ),
    )
    assert words(step) == ["--in", "input:data", "--out", "output:rest", "parameter:more", "output:sum", "parameter:label"]
    values = {item.name: item.pipeline_parameter or item.value for item in step.parameters}
    assert values == {"rate": "speed", "label": "y", "more": "more"}
    assert {port.name: port.mode for port in step.inputs} == {"data": "download", "extra": "mount"}
    assert {port.name: port.pipeline_output_name for port in step.outputs} == {"sum": None, "rest": "all"}
    assert (step.run_config["environmentVariables"], step.run_config_parameters) == ({"A": "B"}, {"NodeCount": "nodes"})


def test_readers_of_an_output_find_it_behind_its_port(workspace: Workspace, module: Module, source: Path) -> None:
    publish(module, "1", inputs=[InputPortDef("data", is_optional=True)])
    total, files = data("total", output_name="elsewhere"), OutputFileDatasetConfig("files")
    ModuleStep(module, outputs_map={"sum": total, "rest": files}, name="first")
    second = ModuleStep(module, inputs_map={"data": total}, outputs_map={"sum": data("b")}, name="second")
    promoted = data("promoted").as_dataset()
    third = ModuleStep(module, inputs_map={"data": files.as_input("x")}, outputs_map={"sum": promoted.register("named")}, name="third")
    reader = PythonScriptStep(
        "make.py", name="reader", inputs=[promoted.as_named_input("rows")], source_directory=_folder(source), compute_target="local"
    )
    graph = Pipeline(workspace, steps=[second, third, reader]).graph
    assert graph.validate() == []
    steps = {item.name: item for item in to_document(graph).steps}
    found = {item.name: [(port.name, port.source.port) for port in item.inputs] for item in steps.values()}
    assert found == {"first": [], "second": [("data", "sum")], "third": [("data", "rest")], "reader": [("rows", "sum")]}
    assert steps["second"].inputs[0].source.node_id == steps["first"].id
    assert steps["third"].outputs[0].registration.name == "named"
    assert [bool(port.destination) for port in steps["first"].outputs] == [False, True]


def test_ports_say_what_mere_data_leaves_open(workspace: Workspace, module: Module) -> None:
    publish(
        module,
        inputs=[InputPortDef("data", default_datastore_mode="download", default_path_on_compute="in", default_overwrite=True)],
        outputs=[OutputPortDef("sum", default_datastore_mode="upload", default_path_on_compute="out", is_directory=True)],
    )
    where = workspace.get_default_datastore()
    first = ModuleStep(module, inputs_map={"data": where.path("raw")}, outputs_map={"sum": PipelineData("a")}, name="first")
    second = ModuleStep(module, inputs_map={"data": first._outputs[0]}, name="second")
    third = ModuleStep(module, inputs_map={"data": where.path("raw").as_mount()}, name="third")
    third._bound["data"].path_on_compute = "there"
    graph = Pipeline(workspace, steps=[second, third]).graph
    steps = {item.name: item for item in to_document(graph).steps}
    found = {name: [(port.mode, port.path_on_compute, port.overwrite) for port in step.inputs] for name, step in steps.items()}
    assert found["second"] == [("download", "in", True)]
    assert found["first"][0][0] == "mount"
    assert found["third"][0][:2] == ("download", "there")  # what has a path of its own is copied there
    for step in steps.values():
        assert [(port.mode, port.path_on_compute, port.is_directory) for port in step.outputs] == [("upload", "out", True)]


def test_a_module_without_ports_for_order_can_not_be_followed(workspace: Workspace, module: Module) -> None:
    publish(module, "1", inputs=[], create_sequencing_ports=False)
    first, second = (ModuleStep(module, name=name) for name in ("first", "second"))
    second.run_after(first)
    with pytest.raises(RuntimeError, match="Nothing can run after 'first'"):
        Pipeline(workspace, steps=[second])


def test_a_graph_read_back_still_knows_its_module(workspace: Workspace, module: Module) -> None:
    publish(module, inputs=[])
    graph = Pipeline(workspace, steps=[ModuleStep(module)]).graph
    document = format_graph(to_document(graph))
    assert document["steps"][0]["module"]["id"] == module.id
    assert format_graph(to_document(from_document(document, graph._context))) == document


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda module, version, read: ModuleStep(), "made of one thing"),
        (lambda module, version, read: ModuleStep(module, module_version=version), "made of one thing"),
        (lambda module, version, read: ModuleStep("Calc"), "module must be a Module"),
        (lambda module, version, read: ModuleStep(module_version=module), "module_version must be a ModuleVersion"),
        (lambda module, version, read: ModuleStep(module, inputs_map=[data("a")]), "inputs_map must be a dictionary"),
        (lambda module, version, read: ModuleStep(module, inputs_map={"data": 5}), "input of an unexpected type, int"),
        (lambda module, version, read: ModuleStep(module, outputs_map={"sum": 5}), "output of an unexpected type, int"),
        (lambda module, version, read: ModuleStep(module, arguments=[data("a")]), "neither in its inputs"),
        (lambda module, version, read: ModuleStep(module, arguments=[OutputFileDatasetConfig("a")]), "neither in its inputs_map"),
        (lambda module, version, read: ModuleStep(module, arguments="--a"), "arguments must be a list"),
        (lambda module, version, read: ModuleStep(module), "nothing stands behind the module's input 'data'"),
        (lambda module, version, read: ModuleStep(module, inputs_map={"dta": data("a")}), "no input 'dta'. Did you mean 'data'"),
        (
            lambda module, version, read: ModuleStep(module, inputs_map=read, outputs_map={"smu": data("a")}),
            "no output 'smu'. Did you mean 'sum'",
        ),
        (lambda module, version, read: ModuleStep(module, inputs_map=read, params={"rat": 1}), "no parameter 'rat'. Did you mean 'rate'"),
        (lambda module, version, read: ModuleStep(module, inputs_map=read, compute_target="clster"), "compute target 'clster'"),
    ],
)
def test_mistakes_are_told_at_the_latest_when_the_pipeline_is_built(
    workspace: Workspace, module: Module, make: Callable[..., Any], words: str
) -> None:
    version = publish(module, "1")
    workspace._client.put_compute_target(workspace._id, "cluster", "AmlCompute", {})
    with pytest.raises(ValueError, match=words):
        Pipeline(workspace, steps=[make(module, version, {"data": workspace.get_default_datastore().path("raw")})])


def test_disabled_modules_and_versions_can_not_be_used(workspace: Workspace, module: Module, caplog: pytest.LogCaptureFixture) -> None:
    version = publish(module, "1", inputs=[])
    module.deprecate()
    with caplog.at_level(logging.WARNING, "penstock"):
        Pipeline(workspace, steps=[ModuleStep(module)])
    assert "Step 'Calc' uses the module 'Calc', which is deprecated." in caplog.text
    ModuleVersion.get(workspace, version.module_version_id).disable()
    with pytest.raises(ValueError, match="uses version '1' of the module 'Calc', which is disabled"):
        Pipeline(workspace, steps=[ModuleStep(module_version=version)])
    version.enable()
    module.disable()
    with pytest.raises(ValueError, match="uses the module 'Calc', which is disabled"):
        Pipeline(workspace, steps=[ModuleStep(module, version="1")])


def test_runs_of_a_module_are_found(rest: Any, workspace: Workspace, module: Module) -> None:
    publish(module, inputs=[])
    other = Module.create(workspace, "Other", None)
    runs = [Experiment(workspace, "e").submit(Pipeline(workspace, steps=[ModuleStep(module)])).id for _ in range(2)]
    found = rest.client.list_runs_of_module(rest.workspace_id, "Calc")
    assert [run["id"] for run in found] == runs[::-1]
    assert [run["id"] for run in rest.client.list_runs_of_module(rest.workspace_id, module.id, limit=1)] == runs[1:]
    assert rest.client.list_runs_of_module(rest.workspace_id, other.id) == []
