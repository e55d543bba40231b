"""What the parts of one graph share: the workspace, and what was asked of it once."""

from __future__ import annotations

import os
import sys
from typing import Any, Dict, List, NamedTuple, Optional

from azureml.pipeline.core._errors import find_nearest, nearest

LOCAL = "local"


class Target(NamedTuple):
    """A compute target as the graph keeps it."""

    name: str
    type: Optional[str] = None


class _GraphContext:
    """The surroundings of a graph.

    Args:
        experiment_name: The experiment that its runs belong to; None until it is submitted.
        workspace: The workspace.
        default_source_directory: The source folder of steps that name none; None means the current one.
        workflow_provider: Accepted and ignored, as is `service_endpoint`.
    """

    def __init__(
        self,
        experiment_name: Optional[str],
        workspace: Any,
        default_source_directory: Any = None,
        workflow_provider: Any = None,
        service_endpoint: Optional[str] = None,
    ) -> None:
        self.experiment_name = experiment_name
        self.workspace = workspace
        self.given_source_directory = os.fspath(default_source_directory or os.curdir)
        self.default_source_directory = os.path.abspath(self.given_source_directory)
        self.service_endpoint = service_endpoint
        self._targets: Optional[Dict[str, Any]] = None
        self._run_configs: Dict[int, Any] = {}
        self._default_datastore: Any = None

    @property
    def _workspace(self) -> Any:
        return self.workspace

    def default_datastore(self) -> Any:
        """Return the workspace's default datastore; None where it has none."""
        from azureml.exceptions import AzureMLException, ServiceException

        if self._default_datastore is None:
            try:
                self._default_datastore = self.workspace.get_default_datastore()
            except (AzureMLException, ServiceException):  # an output that needs it says so, with its name
                return None
        return self._default_datastore

    def default_datastore_name(self, what: str) -> str:
        """Return the name of the workspace's default datastore.

        Raises:
            ValueError: It has none; the message says what needs it.
        """
        found = self.default_datastore()
        if found is None:
            raise ValueError(
                f"Nothing says which datastore takes {what}: it names none, and the workspace '{self.workspace.name}' has no default. "
                "Give the output a destination, a tuple (datastore, path), or call workspace.set_default_datastore(name)."
            )
        return str(found.name)

    def find_target(self, target: Any, place: str) -> Optional[Target]:
        """Return the compute target that a step names: an object, a name, a pair (name, type), or None.

        Raises:
            ValueError: The workspace has targets, but none of this name; or it is none of the four.
        """
        if target is None:
            return None
        if isinstance(target, str):
            return self._find_named(target, place)
        if isinstance(target, tuple):
            return _parse_pair(target, place)
        name = getattr(target, "name", None)
        if not isinstance(name, str):
            raise ValueError(
                f"{place} has {target!r} as its compute_target. Give a compute target object, its name, or a pair (name, type) of texts."
            )
        return Target(name, getattr(target, "type", None) or type(target).__name__)

    def _find_named(self, name: str, place: str) -> Target:
        if name.lower() == LOCAL:
            return Target(LOCAL, LOCAL)
        if self._targets is None:
            self._targets = self.workspace.compute_targets
        found = self._targets.get(name)
        if found is None:
            found = self._take_for_granted(name, self._targets, place)
        return Target(name, getattr(found, "type", None) or type(found).__name__)

    def _take_for_granted(self, name: str, targets: Dict[str, Any], place: str) -> Any:
        """Make a target that somebody made by hand in v1's portal. Where the user makes targets, a strange name is a mistake."""
        from azureml.core._workspace_compute import is_implicit
        from azureml.exceptions import ComputeTargetException, UserErrorException

        others = [known for known in targets if not _are_twins(name, known)]
        missing = f"{place} wants the compute target '{name}', which does not exist in the workspace '{self.workspace.name}'."
        if find_nearest(name, others) or not all(map(is_implicit, targets.values())):
            hint = nearest(name, [*(others if find_nearest(name, others) else targets), LOCAL], "compute targets")
            raise ValueError(f"{missing}{hint} Create it with ComputeTarget.create, or use 'local'.")
        try:
            return targets[name]
        except (ComputeTargetException, UserErrorException) as error:
            raise ValueError(f"{missing} {error.message}") from error

    def describe_run_config(self, run_config: Any, place: str) -> Any:
        """Return the document of a run configuration; one object is described once per graph.

        Raises:
            UserErrorException: A setting can't be carried out.
        """
        found = self._run_configs.get(id(run_config))
        if found is None:
            from azureml.core._run_config_checks import check_run_config
            from azureml.core._run_config_environment import resolve_environment
            from azureml.core.runconfig import to_document

            check_run_config(run_config, place)
            # The object is kept beside its document, so that its id can't pass to another.
            found = self._run_configs[id(run_config)] = (run_config, to_document(resolve_environment(run_config, self.workspace)))
        return found[1]


def _are_twins(one: str, other: str) -> bool:
    """Tell whether two names differ as 'cpu-cluster' and 'gpu-cluster' do: near, but no slip."""
    return one != other and one.lower().replace("gpu", "cpu") == other.lower().replace("gpu", "cpu")


def _parse_pair(target: Any, place: str) -> Target:
    if len(target) != 2 or not all(isinstance(item, str) for item in target):
        raise ValueError(f"{place} has the compute_target {target!r}; a pair must be (name, type), two texts.")
    if target[1].lower() == "batchai":
        raise ValueError(f"{place} wants a Batch AI target, which no longer exists. Use an AmlCompute target instead of '{target[0]}'.")
    return Target(target[0], target[1])


class ModuleBuilder:
    """What becomes the definition of a step when its pipeline is submitted.

    Args:
        module_def: The definition.
        source_directory: The folder that is taken as a snapshot; None for a step without one.
        script: The script there.
        target: The compute target.
        run_config_parameters: Run settings that pipeline parameters give.
    """

    def __init__(
        self,
        module_def: Any,
        source_directory: Optional[str] = None,
        script: Optional[str] = None,
        target: Optional[Target] = None,
        run_config_parameters: Optional[Dict[str, Any]] = None,
    ) -> None:
        self.module_def = module_def
        self.source_directory = source_directory
        self.script = script
        self.target = target
        self.run_config_parameters = dict(run_config_parameters or {})
        self.snapshot: Optional[str] = None


class DataSourceBuilder:
    """What becomes the definition of data when its pipeline is submitted.

    Args:
        datasource_def: The definition.
    """

    def __init__(self, datasource_def: Any) -> None:
        self.datasource_def = datasource_def


def find_script(source_directory: str, script: str, place: str, given: Optional[str] = None) -> None:
    """Do nothing when a script is in its source folder.

    Args:
        source_directory: The folder's full path.
        script: The script.
        place: The step, as a message names it.
        given: The folder as the user wrote it.

    Raises:
        ValueError: It is not; the message names the nearest files.
    """
    if not os.path.isdir(source_directory):
        raise ValueError(_tell_missing_folder(source_directory, place, given or source_directory))
    if os.path.isabs(script) or not _is_below(source_directory, script):
        raise ValueError(
            f"{place}: the script '{script}' must be given relative to the source directory {source_directory}, and lie in it."
        )
    if not os.path.isfile(os.path.join(source_directory, script)):
        raise ValueError(
            f"{place}: there is no script '{script}' in {source_directory}.{nearest(script, _scripts(source_directory), 'files there')}"
        )


def _tell_missing_folder(folder: str, place: str, given: str) -> str:
    """The message about a source folder that does not exist: what it was looked for in, and what is there instead."""
    message = f"{place}: the source directory '{given}' does not exist."
    if os.path.isfile(folder):
        message = f"{place}: the source directory '{given}' is a file. Give the folder that it lies in."
    near = find_nearest(os.path.basename(folder), _folders(os.path.dirname(folder)))
    hint = f" Did you mean '{os.path.join(os.path.dirname(given.rstrip(os.sep)), near)}'?" if near else " Correct source_directory."
    if os.path.isabs(given):
        return message + hint
    script = os.path.basename(sys.argv[0]) if sys.argv[0].endswith(".py") else "SCRIPT"
    return (
        f"{message} It is taken relative to the current folder {os.getcwd()}.{hint} "
        f"Run the script in its own folder when the path is meant from there: `penstock run {script}` does."
    )


def _folders(parent: str) -> List[str]:
    try:
        return [entry.name for entry in os.scandir(parent) if entry.is_dir()]
    except OSError:
        return []


def _is_below(folder: str, relative: str) -> bool:
    root = os.path.abspath(folder)
    return os.path.commonpath([root, os.path.abspath(os.path.join(root, relative))]) == root


def _scripts(source_directory: str, limit: int = 500) -> List[str]:
    """Some files of a folder and of its folders, for a hint."""
    found: List[str] = []
    for folder, names, files in os.walk(source_directory):
        names[:] = sorted(name for name in names if not name.startswith("."))
        found += [os.path.relpath(os.path.join(folder, name), source_directory) for name in sorted(files) if not name.startswith(".")]
        if len(found) > limit:
            break
    return found[:limit]
