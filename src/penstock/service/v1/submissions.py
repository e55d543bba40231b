"""v1's order to run what is published, told in our words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from penstock.model.datasets import FILE
from penstock.model.errors import Invalid, NotFound
from penstock.operations import datasets
from penstock.operations.context import Context
from penstock.service.v1.members import Members, as_scalar

RUN_TYPES = ("HTTP", "SDK", "Schedule", "Portal")  # in the order of their codes
_SOURCE = "API"  # of callers that name none

_LITERALS, _PATHS, _DATASETS = "ParameterAssignments", "DataPathAssignments", "DataSetDefinitionValueAssignments"
_FORMS = "{SavedDataSetReference: {Id}}, {DataSetReference: {Id or Name, Version}} or {LiteralValue: {DataStoreName, RelativePath}}"

Parameters = Callable[[], list[dict[str, Any]]]  # the parameters of the pipeline that is to be run


@dataclass(frozen=True)
class Order:
    """A submission in our words, and where in v1's each parameter stood."""

    wanted: dict[str, Any]
    places: dict[str, str]  # name of the parameter -> the member that gave it


def read_order(context: Context, workspace_id: str, body: Members, query: Members, parameters: Parameters) -> Order:
    """Return what a caller ordered.

    Args:
        context: The surroundings.
        workspace_id: Where it is to run; datasets are looked up there.
        body: v1's PipelineSubmissionInfo.
        query: May name the parent run.
        parameters: Gives the pipeline's parameters; asked only where a value can't be read without.

    Raises:
        Invalid: A member is of the wrong kind, or names something that is not there; details name it as `target`.
    """
    values, places = _read_values(context, workspace_id, body, parameters)
    wanted = {
        "experiment_name": _experiment_name(body),
        "parameters": values,
        "description": body.text("Description"),
        "tags": body.texts("Tags"),
        "step_tags": body.texts("StepTags"),
        "properties": body.texts("Properties"),
        "continue_on_step_failure": body.flag("ContinueRunOnStepFailure"),
        "parent_run_id": query.text("parentRunId") or body.text("ParentRunId"),
        "run_source": body.text("RunSource") or _SOURCE,
        "run_type": _run_type(body),
        "request_id": body.text("RequestId"),
    }
    return Order(wanted, places)


def _experiment_name(body: Members) -> str:
    name = body.text("ExperimentName")
    if not name:
        raise Invalid("The body must have 'ExperimentName': the experiment that the run belongs to.", target="ExperimentName")
    return name


def _run_type(body: Members) -> str:
    asked = body.text("RunType") or RUN_TYPES[0]
    for code, name in enumerate(RUN_TYPES):
        if asked.lower() in (str(code), name.lower()):
            return name
    raise Invalid(f"There is no RunType '{asked[:40]}'. There are: {', '.join(RUN_TYPES)}.", target="RunType")


# Values of parameters


def _read_values(context: Context, workspace_id: str, body: Members, parameters: Parameters) -> tuple[dict[str, Any], dict[str, str]]:
    reader = _Datasets(context, workspace_id, parameters)
    readers: dict[str, Callable[[Any, str], Any]] = {_LITERALS: as_scalar, _PATHS: _read_path, _DATASETS: reader.read}
    values: dict[str, Any] = {}
    places: dict[str, str] = {}
    for member, read in readers.items():
        for name, value in body.pairs(member).items():
            target = f"{member}.{name}"
            if name in values:
                raise Invalid(f"The parameter '{name}' has a value in {places[name]} already. Send it once.", target=target)
            values[name], places[name] = read(value, target), member
    return values, places


def _read_path(value: Any, target: str) -> dict[str, str]:
    """Return a data path: {"datastore", "path"}."""
    if not isinstance(value, Mapping):
        raise Invalid(f"'{target}' must be an object: {{DataStoreName, RelativePath}}.", target=target)
    return _path_of(Members(value, target))


def _path_of(members: Members) -> dict[str, str]:
    datastore = members.text("DataStoreName")
    if not datastore:
        raise Invalid(f"'{members.place}' must name a datastore: {{DataStoreName, RelativePath}}.", target=members.target("DataStoreName"))
    return {"datastore": datastore, "path": members.text("RelativePath") or ""}


class _Datasets:
    """Reads values of dataset parameters, in the three forms that v1 has."""

    def __init__(self, context: Context, workspace_id: str, parameters: Parameters) -> None:
        self._context, self._workspace_id, self._parameters = context, workspace_id, parameters

    def read(self, value: Any, target: str) -> dict[str, Any]:
        """Return a dataset as {"id", "type"}; a data path where the parameter takes one."""
        if not isinstance(value, Mapping):
            raise Invalid(f"'{target}' must be an object: {_FORMS}.", target=target)
        members = Members(value, target)
        for form, read in (
            ("SavedDataSetReference", self._read_saved),
            ("DataSetReference", self._read_registered),
            ("LiteralValue", self._read_literal),
        ):
            inner = members.members(form)
            if inner is not None:
                return read(inner, target)
        raise Invalid(f"'{target}' names no dataset. It must be {_FORMS}.", target=target)

    def _read_saved(self, members: Members, target: str) -> dict[str, Any]:
        found = members.text("Id")
        if not found:
            raise Invalid(f"'{target}' must have the Id of a dataset.", target=members.target("Id"))
        return self._find(lambda: datasets.get_dataset(self._context, self._workspace_id, found), members.target("Id"))

    def _read_registered(self, members: Members, target: str) -> dict[str, Any]:
        name = members.text("Name")
        if members.has("Id") or not name:
            return self._read_saved(members, target)
        version = members.text("Version")
        return self._find(
            lambda: datasets.get_dataset_version(self._context, self._workspace_id, name, version),
            members.target("Version" if version else "Name"),
        )

    def _find(self, verb: Callable[[], dict[str, Any]], target: str) -> dict[str, Any]:
        try:
            return _reference(verb())
        except (NotFound, Invalid) as error:
            raise Invalid(error.message, target=target) from None

    def _read_literal(self, members: Members, target: str) -> dict[str, Any]:
        """Return the path itself for a parameter that takes one; a dataset of the files there for one that takes files."""
        path = _path_of(members)
        name = target.partition(".")[2]
        parameter = next((item for item in self._parameters() if item["name"] == name), None)
        if parameter is None or parameter["kind"] != "dataset":
            return path
        kind = (parameter.get("default") or {}).get("type", FILE)
        if kind != FILE:
            raise Invalid(
                f"'{target}' takes a {kind} dataset, and a path does not say how its files are read. Send the Id of a saved dataset: "
                "{SavedDataSetReference: {Id}}.",
                target=target,
            )
        definition = {"format": 1, "type": FILE, "places": [path], "operations": []}
        try:
            return _reference(datasets.save_dataset(self._context, self._workspace_id, definition))
        except Invalid as error:
            raise Invalid(error.message, target=target) from None


def _reference(dataset: Mapping[str, Any]) -> dict[str, Any]:
    return {"id": dataset["id"], "type": dataset["definition"]["type"]}
