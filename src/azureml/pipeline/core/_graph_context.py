"""What the parts of one graph share: the workspace, and what was asked of it once."""

from __future__ import annotations

import os
from typing import Any, Dict, List, NamedTuple, Optional

from azureml.pipeline.core._errors import nearest

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
        self.default_source_directory = os.path.abspath(os.fspath(default_source_directory or os.curdir))
        self.service_endpoint = service_endpoint
        self._targets: Optional[Dict[str, Any]] = None
        self._run_configs: Dict[int, Any] = {}

    @property
    def _workspace(self) -> Any:
        return self.workspace

    def find_target(self, target: Any, place: str) -> Optional[Target]:
        """Return the compute target that a step names: an object, a name, a pair (name, type), or None.

        Raises:
            ValueError: The workspace has no target of this name, or it is none of the four.
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
            self._targets = dict(self.workspace.compute_targets)
        found = self._targets.get(name)
        if found is None:
            hint = nearest(name, [*self._targets, LOCAL], "compute targets")
            raise ValueError(
                f"{place} wants the compute target '{name}', which does not exist in the workspace '{self.workspace.name}'.{hint} "
                "Create it with ComputeTarget.create, or use 'local'."
            )
        return Target(name, getattr(found, "type", None) or type(found).__name__)

    def describe_run_config(self, run_config: Any, place: str) -> Any:
        """Return the document of a run configuration; one object is described once per graph.

        Raises:
            UserErrorException: A setting can't be carried out.
        """
        found = self._run_configs.get(id(run_config))
        if found is None:
            from azureml.core._run_config_checks import check_run_config
            from azureml.core.runconfig import to_document

            check_run_config(run_config, place)
            # The object is kept beside its document, so that its id can't pass to another.
            found = self._run_configs[id(run_config)] = (run_config, to_document(run_config))
        return found[1]


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


def find_script(source_directory: str, script: str, place: str) -> None:
    """Do nothing when a script is in its source folder.

    Raises:
        ValueError: It is not; the message names the nearest files.
    """
    if not os.path.isdir(source_directory):
        raise ValueError(f"{place}: the source directory {source_directory} does not exist. Correct source_directory.")
    if os.path.isabs(script) or not _is_below(source_directory, script):
        raise ValueError(
            f"{place}: the script '{script}' must be given relative to the source directory {source_directory}, and lie in it."
        )
    if not os.path.isfile(os.path.join(source_directory, script)):
        raise ValueError(
            f"{place}: there is no script '{script}' in {source_directory}.{nearest(script, _scripts(source_directory), 'files there')}"
        )


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
