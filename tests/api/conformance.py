"""Compares what `azureml` offers with the recorded signatures of SDK v1, class by class.

`python tests/api/conformance.py` prints the table; `--all` adds every recorded class, `--json` prints it for programs.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import importlib
import inspect
import json
import sys
import textwrap
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, List, Optional, Tuple

SIGNATURES = Path(__file__).parent / "signatures"
_ABSENT = object()

# What the product promises to have in full: module -> names ("*" = all that the file records for it).
PROMISED: Dict[str, Tuple[str, ...]] = {
    "azureml.core": ("*",),
    "azureml.core.workspace": ("*",),
    "azureml.core.experiment": ("*",),
    "azureml.core.resource_configuration": ("*",),
    "azureml.core.run": ("*",),
    "azureml.core.script_run": ("*",),
    "azureml.core.script_run_config": ("*",),
    "azureml.core.dataset": ("*",),
    "azureml.core.datastore": ("*",),
    "azureml.core.compute": ("ComputeTarget", "AmlCompute"),
    "azureml.core.compute.compute": (
        "ComputeTarget",
        "ComputeTargetAttachConfiguration",
        "ComputeTargetProvisioningConfiguration",
        "ComputeTargetUpdateConfiguration",
    ),
    "azureml.core.compute.amlcompute": ("*",),
    "azureml.core.compute_target": ("*",),
    "azureml.core.conda_dependencies": ("CondaDependencies",),
    "azureml.core.container_registry": ("*",),
    "azureml.core.databricks": ("*",),
    "azureml.core.environment": ("*",),
    "azureml.core.authentication": ("*",),
    "azureml.core.keyvault": ("*",),
    "azureml.core.linked_service": ("*",),
    "azureml.core.private_endpoint": ("*",),
    "azureml.core.model": ("*",),
    "azureml.core.profile": ("*",),
    "azureml.core.runconfig": ("*",),
    "azureml.core.util": ("*",),
    "azureml.data": ("*",),
    "azureml.data.abstract_dataset": ("*",),
    "azureml.data.abstract_datastore": ("*",),
    "azureml.data.azure_storage_datastore": ("*",),
    "azureml.data.context_managers": ("DatasetContextManager",),
    "azureml.data.data_reference": ("*",),
    "azureml.data.datapath": ("*",),
    "azureml.data.dataset_error_handling": ("*",),
    "azureml.data.dataset_factory": ("*",),
    "azureml.data.dataset_profile": ("*",),
    "azureml.data.dataset_profile_run": ("*",),
    "azureml.data.dataset_profile_run_config": ("*",),
    "azureml.data.dataset_type_definitions": ("*",),
    "azureml.data.file_dataset": ("*",),
    "azureml.data.tabular_dataset": ("*",),
    "azureml.data.dataset_consumption_config": ("*",),
    "azureml.data.output_dataset_config": ("*",),
    "azureml.exceptions": ("*",),
    "azureml.pipeline.core": (
        "Pipeline",
        "PipelineStep",
        "StepSequence",
        "PipelineData",
        "PipelineParameter",
        "InputPortBinding",
        "OutputPortBinding",
        "PipelineDataset",
        "PipelineRun",
        "StepRun",
        "StepRunOutput",
        "PortDataReference",
        "PublishedPipeline",
        "PipelineDraft",
        "PipelineEndpoint",
        "Module",
        "ModuleVersion",
        "ModuleVersionDescriptor",
        "Schedule",
        "ScheduleRecurrence",
        "TimeZone",
    ),
    "azureml.pipeline.core.builder": ("*",),
    "azureml.pipeline.core.graph": (
        "Graph",
        "Node",
        "ModuleNode",
        "DataSourceNode",
        "Edge",
        "InputPort",
        "OutputPort",
        "InputPortBinding",
        "OutputPortBinding",
        "Param",
        "ParamDef",
        "InputPortDef",
        "OutputPortDef",
        "Module",
        "ModuleDef",
        "DataSourceDef",
        "DataSource",
        "DataType",
        "PipelineDataset",
        "PipelineParameter",
        "PortDataReference",
        "PublishedPipeline",
        "StoredProcedureParameter",
        "StoredProcedureParameterType",
    ),
    "azureml.pipeline.core.module": ("*",),
    "azureml.pipeline.core.module_step_base": ("*",),
    "azureml.pipeline.core.pipeline": ("*",),
    "azureml.pipeline.core.pipeline_draft": ("*",),
    "azureml.pipeline.core.pipeline_endpoint": ("*",),
    "azureml.pipeline.core.pipeline_output_dataset": ("*",),
    "azureml.pipeline.core.run": ("*",),
    "azureml.pipeline.core.schedule": ("*",),
    "azureml.pipeline.steps": ("*",),
    "azureml.pipeline.steps.adla_step": ("*",),
    "azureml.pipeline.steps.automl_step": ("*",),
    "azureml.pipeline.steps.azurebatch_step": ("*",),
    "azureml.pipeline.steps.command_step": ("*",),
    "azureml.pipeline.steps.data_transfer_step": ("*",),
    "azureml.pipeline.steps.databricks_step": ("*",),
    "azureml.pipeline.steps.estimator_step": ("*",),
    "azureml.pipeline.steps.hyper_drive_step": ("HyperDriveStep",),
    "azureml.pipeline.steps.kusto_step": ("*",),
    "azureml.pipeline.steps.module_step": ("*",),
    "azureml.pipeline.steps.mpi_step": ("*",),
    "azureml.pipeline.steps.parallel_run_config": ("*",),
    "azureml.pipeline.steps.parallel_run_step": ("*",),
    "azureml.pipeline.steps.python_script_step": ("*",),
    "azureml.pipeline.steps.r_script_step": ("RScriptStep",),
    "azureml.pipeline.steps.synapse_spark_step": ("*",),
    "azureml.train.hyperdrive": ("*",),
    "azureml.train.hyperdrive.exceptions": ("*",),
    "azureml.train.hyperdrive.parameter_expressions": ("*",),
    "azureml.train.hyperdrive.policy": (
        "BanditPolicy",
        "EarlyTerminationPolicy",
        "MedianStoppingPolicy",
        "NoTerminationPolicy",
        "TruncationSelectionPolicy",
    ),
    "azureml.train.hyperdrive.runconfig": ("HyperDriveConfig", "HyperDriveRunConfig", "MAX_DURATION_MINUTES", "PrimaryMetricGoal"),
    "azureml.train.hyperdrive.sampling": (
        "BayesianParameterSampling",
        "GridParameterSampling",
        "HyperParameterSampling",
        "RandomParameterSampling",
    ),
}

_PRIVATE_LOGGING = "comes from v1's private logging base class ChainedIdentity; names log records, no script uses it"
_ABC_LEAK = "the module's own import of abc.ABC, recorded as a constant"
# (class or "*", member or "*") -> why its absence or difference is right.
EXCUSED: Dict[Tuple[str, str], str] = {
    ("*", "DELIM"): _PRIVATE_LOGGING,
    ("*", "identity"): _PRIVATE_LOGGING,
    ("azureml.core.profile.ABC", "*"): _ABC_LEAK,
    ("azureml.core.compute.compute.ABC", "*"): _ABC_LEAK,
}


# Defaults that v1 wrote as a private name of its own.
_PRIVATE_DEFAULTS = {"_DEFAULT_SHM_SIZE": "2g"}


@dataclass
class Finding:
    """What was found out about one recorded class, function or constant."""

    name: str
    present: List[str] = field(default_factory=list)
    missing: List[str] = field(default_factory=list)
    different: List[str] = field(default_factory=list)
    excused: List[str] = field(default_factory=list)

    @property
    def conforms(self) -> bool:
        """Tell whether nothing is missing or different."""
        return not self.missing and not self.different


@cache
def _records() -> Dict[str, Dict[str, Any]]:
    modules: Dict[str, Dict[str, Any]] = {}
    for path in sorted(SIGNATURES.glob("*.json")):
        modules.update(json.loads(path.read_text(encoding="utf-8"))["modules"])
    return modules


def promised() -> Iterator[Tuple[str, str]]:
    """Yield (module, name) of all that must conform."""
    for module, names in PROMISED.items():
        for name in _records()[module] if names == ("*",) else names:
            yield module, name


def recorded() -> Iterator[Tuple[str, str]]:
    """Yield (module, name) of all that the signature files hold."""
    for module, names in _records().items():
        for name in names:
            yield module, name


def examine(module: str, name: str) -> Finding:
    """Return what is present, missing and different of one recorded name."""
    record, finding = _records()[module][name], Finding(f"{module}.{name}")
    if (finding.name, "*") in EXCUSED:
        finding.excused.append(name)
        return finding
    try:
        found = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        finding.missing.append(f"{name} ({error})")
        return finding
    if record["kind"] == "class":
        _examine_class(found, record, finding)
    elif record["kind"] == "alias":
        _examine_alias(found, record, finding)
    elif record["kind"] == "function":
        _note(finding, name, _compare_parameters(found, record["params"], vars(sys.modules[module])))
    else:
        _note(finding, name, _compare_value(found, record))
    return finding


def _examine_alias(found: Any, record: Dict[str, Any], finding: Finding) -> None:
    module, _, name = record["of"].rpartition(".")
    same = f"{getattr(found, '__module__', module)}.{getattr(found, '__name__', name)}" == record["of"]
    _note(finding, name, None if same or record.get("omitted") else f"is {found!r}, not {record['of']}")


def _examine_class(found: Any, record: Dict[str, Any], finding: Finding) -> None:
    for member, about in record.get("members", {}).items():
        _note(finding, member, _compare_member(found, member, about))
    for attribute in record.get("attrs", ()):
        _note(finding, attribute, None if attribute in _instance_names(found) else "missing")


def _note(finding: Finding, member: str, verdict: Optional[str]) -> None:
    if verdict is None:
        finding.present.append(member)
    elif ("*", member) in EXCUSED or (finding.name, member) in EXCUSED:
        finding.excused.append(member)
    elif verdict == "missing":
        finding.missing.append(member)
    else:
        finding.different.append(f"{member}: {verdict}")


def _compare_member(owner: Any, name: str, record: Dict[str, Any]) -> Optional[str]:
    kind = record["kind"]
    found = inspect.getattr_static(owner, name, _ABSENT)
    if found is _ABSENT:
        return "missing"
    if kind == "property":
        return _compare_property(owner, name, found, bool(record.get("settable")))
    if kind in ("attr", "enum"):
        return _compare_value(found, record)
    actual = "static" if isinstance(found, staticmethod) else "class" if isinstance(found, classmethod) else "method"
    expected = "method" if kind == "init" else kind
    if actual != expected:
        return f"is a {actual} method, not {expected}"
    function = found.__func__ if actual != "method" else found
    if kind == "init" and function is object.__init__:
        return None if not record["params"] else "has no constructor of its own"
    if not callable(function):
        return f"is {function!r}, not a method"
    return _compare_parameters(function, record["params"], _names_around(function, owner), skip_first=actual != "static")


def _compare_property(owner: Any, name: str, found: Any, settable: bool) -> Optional[str]:
    if isinstance(found, property):
        return "can't be set" if settable and found.fset is None else None
    if hasattr(type(found), "__get__") and not callable(found):
        return None
    return f"is {found!r}, not a property"


def _compare_value(found: Any, record: Dict[str, Any]) -> Optional[str]:
    if "value" not in record:
        return None
    expected = ast.literal_eval(record["value"])
    actual = getattr(found, "value", found)
    return None if actual == expected else f"is {actual!r}, not {expected!r}"


def _compare_parameters(function: Any, expected: List[List[str]], around: Dict[str, Any], skip_first: bool = False) -> Optional[str]:
    """Our parameters may go on where v1's end, as long as each of the further ones has a default."""
    try:
        ours = list(inspect.signature(function).parameters.values())[1 if skip_first else 0 :]
    except (TypeError, ValueError) as error:
        return f"has no readable signature ({error})"
    rest = list(ours)
    for position, (name, kind, *default) in enumerate(expected):
        if not rest:
            return f"lacks the parameter {name}"
        parameter = _take(rest, name, kind)
        if parameter is None:
            return f"parameter {position + 1} is {rest[0].name}, not {name}"
        verdict = _compare_default(parameter, default, around)
        if verdict:
            return verdict
    for parameter in rest:
        if parameter.default is parameter.empty and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            return f"asks for {parameter.name}, which v1 does not know"
    return None


_KINDS = {"pk": ("POSITIONAL_OR_KEYWORD",), "va": ("VAR_POSITIONAL",), "vk": ("VAR_KEYWORD",), "ko": ("KEYWORD_ONLY",)}


def _take(rest: List[inspect.Parameter], name: str, kind: str) -> Optional[inspect.Parameter]:
    """The next of our parameters when it is the expected one. Further ones of our own may stand before **kwargs."""
    if kind == "vk":
        found = next((parameter for parameter in rest if parameter.kind.name == "VAR_KEYWORD"), None)
    else:
        found = rest[0] if rest[0].name == name and rest[0].kind.name in _KINDS[kind] else None
    if found is not None:
        rest.remove(found)
    return found


def _compare_default(parameter: inspect.Parameter, default: List[str], around: Dict[str, Any]) -> Optional[str]:
    if not default:
        fine = parameter.default is parameter.empty
        return None if fine else f"{parameter.name} has a default, v1 demands it"
    if parameter.default is parameter.empty:
        return f"{parameter.name} has no default, v1 has {default[0]}"
    try:
        expected = ast.literal_eval(default[0])
    except ValueError:
        expected = _evaluate(default[0], around)
    if expected is _ABSENT:
        return f"{parameter.name}: v1's default {default[0]} is not known here"
    same = parameter.default == expected and type(parameter.default) is type(expected)
    return None if same else f"{parameter.name}={parameter.default!r}, v1 has {default[0]}"


def _names_around(function: Any, owner: Any) -> Dict[str, Any]:
    names: Dict[str, Any] = {**_PRIVATE_DEFAULTS, "dict": dict, "sys": sys, "logging": importlib.import_module("logging")}
    for module in (sys.modules.get(owner.__module__), sys.modules.get(getattr(function, "__module__", ""))):
        names.update(vars(module) if module else {})
    for kind in reversed(owner.__mro__):
        names.update(vars(kind))
    return names


def _evaluate(text: str, names: Dict[str, Any]) -> Any:
    """The value of a dotted name (or `dict()`) as the class's own module sees it."""
    call = text.endswith("()")
    head, *members = (text[:-2] if call else text).split(".")
    value = names.get(head, _ABSENT)
    for member in members:
        value = getattr(value, member, _ABSENT)
    return value() if call and value is not _ABSENT else value


@cache
def _instance_names(owner: Any) -> frozenset[str]:
    """Names that an instance has: members of the class, and what its methods assign to `self`."""
    names = set(dir(owner))
    for kind in owner.__mro__:
        names.update(_assigned_names(kind), vars(kind).get("__annotations__", ()))
    with contextlib.suppress(Exception):  # a class that needs arguments; its source has told enough
        names.update(vars(owner()))
    return frozenset(names)


def _assigned_names(kind: Any) -> Iterable[str]:
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(kind)))
    except (OSError, TypeError, SyntaxError):
        return ()
    return {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.ctx, ast.Store)
        and isinstance(node.value, ast.Name)
        and node.value.id == "self"
    }


def table(findings: Iterable[Finding]) -> str:
    """Return the report as text: one line per class, and below it what is wrong."""
    lines = [f"{'name':66} present missing different excused"]
    total = Finding("total")
    for finding in findings:
        counts = [len(part) for part in (finding.present, finding.missing, finding.different, finding.excused)]
        lines.append(f"{finding.name:66} {counts[0]:7} {counts[1]:7} {counts[2]:9} {counts[3]:7}")
        lines += [f"    missing    {item}" for item in finding.missing]
        lines += [f"    different  {item}" for item in finding.different]
        for part in ("present", "missing", "different", "excused"):
            getattr(total, part).extend(getattr(finding, part))
    lines.append(f"{'total':66} {len(total.present):7} {len(total.missing):7} {len(total.different):9} {len(total.excused):7}")
    return "\n".join(lines)


def main() -> int:
    """Print the report; the exit status tells whether all promised names conform."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--all", action="store_true", help="every recorded name, not only the promised ones")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--faults", action="store_true", help="only what is missing or different")
    parser.add_argument("module", nargs="*", help="only names that begin with this")
    options = parser.parse_args()
    findings = [examine(module, name) for module, name in (recorded() if options.all else promised())]
    wanted = [item for item in findings if not options.module or item.name.startswith(tuple(options.module))]
    shown = [item for item in wanted if not (options.faults and item.conforms)]
    print(json.dumps([vars(item) for item in shown], indent=1) if options.json else table(shown))
    return 0 if all(item.conforms for item in wanted) else 1


if __name__ == "__main__":
    sys.exit(main())
