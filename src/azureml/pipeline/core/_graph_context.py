"""What the parts of one graph share: the workspace, and what was asked of it once."""

from __future__ import annotations

import os
from typing import Any, Dict, Mapping, Optional, Sequence

from azureml.core._places import Places, Target


class _GraphContext(Places):
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
        super().__init__(workspace)
        self.experiment_name = experiment_name
        self.given_source_directory = os.fspath(default_source_directory or os.curdir)
        self.default_source_directory = os.path.abspath(self.given_source_directory)
        self.service_endpoint = service_endpoint
        self._run_configs: Dict[int, Any] = {}

    @property
    def _workspace(self) -> Any:
        return self.workspace

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


class ModuleBuilder:
    """What becomes the definition of a step when its pipeline is submitted.

    Args:
        module_def: The definition.
        source_directory: The folder that is taken as a snapshot; None for a step without one.
        script: The script there.
        target: The compute target.
        run_config_parameters: Run settings that pipeline parameters give.
        command: What runs instead of a script, as the graph document spells it.
        settings: What the step's type has beside a script, as JSON values under v1's names.
    """

    def __init__(
        self,
        module_def: Any,
        source_directory: Optional[str] = None,
        script: Optional[str] = None,
        target: Optional[Target] = None,
        run_config_parameters: Optional[Dict[str, Any]] = None,
        command: Sequence[str] = (),
        settings: Optional[Mapping[str, Any]] = None,
    ) -> None:
        self.module_def = module_def
        self.source_directory = source_directory
        self.script = script
        self.target = target
        self.run_config_parameters = dict(run_config_parameters or {})
        self.command = tuple(command)
        self.settings = dict(settings or {})
        self.snapshot: Optional[str] = None
        self.module: Dict[str, str] = {}  # the registered module that the step comes from


class DataSourceBuilder:
    """What becomes the definition of data when its pipeline is submitted.

    Args:
        datasource_def: The definition.
    """

    def __init__(self, datasource_def: Any) -> None:
        self.datasource_def = datasource_def
