"""Experiments: the names under which runs gather."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Dict, Iterator, List, Optional, Union

from azureml.core import _names
from azureml.core._errors import v1_errors
from azureml.core._filters import check_filters
from azureml.core._portal import HasExperimentPortal
from azureml.core._times import parse_time

if TYPE_CHECKING:
    from azureml.core.run import Run
    from azureml.core.workspace import Workspace

_LOGGER = logging.getLogger("penstock")

Filter = Optional[Union[str, Dict[str, Optional[str]]]]


class ViewType:
    """Which experiments `Experiment.list` gives."""

    ActiveOnly = "ActiveOnly"
    All = "All"
    ArchivedOnly = "ArchivedOnly"


class Experiment(HasExperimentPortal):
    """A named collection of runs in a workspace; made by the first use of its name.

    Args:
        workspace: The workspace it belongs to.
        name: 1 to 255 letters, digits, '_' or '-'.
        **kwargs: Accepted and ignored, as in v1.

    Raises:
        UserErrorException: The name does not follow the rule.
    """

    def __init__(
        self,
        workspace: Workspace,
        name: str,
        _skip_name_validation: bool = False,
        _id: Optional[str] = None,
        _archived_time: Any = None,
        _create_in_cloud: bool = True,
        _experiment_dto: Optional[Dict[str, Any]] = None,
        **kwargs: Any,
    ) -> None:
        if not _skip_name_validation:
            _names.check_experiment_name(name)
        self._workspace = workspace
        self._name = name
        self._known_id = _id
        self._cached = _experiment_dto
        if _create_in_cloud and _id is None and _experiment_dto is None:
            self._load()

    @classmethod
    def _from_record(cls, workspace: Workspace, record: Dict[str, Any]) -> Experiment:
        return cls(workspace, record["name"], _skip_name_validation=True, _id=record["id"], _experiment_dto=record)

    def _load(self) -> Dict[str, Any]:
        """The experiment's record; fetched once, and made by the service where the name is new."""
        if self._cached is None:
            with v1_errors():
                self._cached = self._client.ensure_experiment(self._workspace._id, self._name)
        return self._cached

    @property
    def _client(self) -> Any:
        return self._workspace._client

    def __repr__(self) -> str:
        return f"Experiment(Name: {self.name},\nWorkspace: {self.workspace.name})"

    def _repr_html_(self) -> str:
        from azureml.core._html import table

        return table({"Name": self.name, "Workspace": self.workspace.name}, {"Report Page": self.get_portal_url()})

    # ---- what it is ----

    @property
    def name(self) -> str:
        """The experiment's name."""
        return self._name

    @property
    def id(self) -> str:
        """The experiment's id."""
        return str(self._known_id or self._load()["id"])

    @property
    def workspace(self) -> Workspace:
        """The workspace it belongs to."""
        return self._workspace

    @property
    def workspace_object(self) -> Workspace:
        """The workspace it belongs to, under its old name."""
        _LOGGER.warning("Experiment.workspace_object is deprecated: use Experiment.workspace.")
        return self._workspace

    @property
    def archived_time(self) -> Any:
        """When it was archived, a datetime; None while it is active."""
        return parse_time(self._load().get("archived_at"))

    @property
    def tags(self) -> Dict[str, Optional[str]]:
        """The tags, as last read; `refresh` reads them again."""
        return dict(self._load().get("tags") or {})

    @classmethod
    def get_docs_url(cls) -> str:
        """Return where v1's experiments are described."""
        return "https://docs.microsoft.com/python/api/azureml-core/azureml.core.experiment.Experiment"

    # ---- runs ----

    def submit(self, config: Any, tags: Optional[Dict[str, str]] = None, **kwargs: Any) -> Run:
        """Start a run of what `config` describes and return at once.

        Args:
            config: A Pipeline or another object that describes a run.
            tags: Put on the run.
            **kwargs: What this kind of object understands, such as `pipeline_parameters`. Others are ignored, with a warning.

        Raises:
            AzureMLException: `config` can't be submitted.
        """
        import inspect

        from azureml.core._experiment_method import get_submit_function

        submit = get_submit_function(config)
        with_tags = "tags" in inspect.signature(submit).parameters  # set before the start, so that a step already sees them
        if with_tags:
            kwargs["tags"] = tags
        with v1_errors():
            run: Run = submit(config, self.workspace, self.name, **_understood(submit, kwargs, type(config).__name__))
            if tags and not with_tags:
                run.set_tags(tags)
        return run

    def start_logging(self, *args: Any, **kwargs: Any) -> Run:
        """Start an interactive run: this process is its script.

        Args:
            *args: `name`, `run_id`, `outputs` and `snapshot_directory` by position, as v1 had them.
            **kwargs: `name`, `run_id`, `display_name`, `description`, `tags`, `properties`; `outputs`: folders whose files are stored
                when the run ends (`./outputs` when None or True, nothing when False); others are ignored.
        """
        from azureml.core._interactive import start_logging

        return start_logging(self, *args, **kwargs)

    def get_runs(
        self, type: Optional[str] = None, tags: Filter = None, properties: Filter = None, include_children: bool = False
    ) -> Iterator[Run]:
        """Give the runs of this experiment, newest first.

        Args:
            type: Only runs of this type, such as 'azureml.PipelineRun'.
            tags: A tag's name, or pairs that must all match.
            properties: The same for properties.
            include_children: Also the runs below others.

        Raises:
            ValueError: A filter is neither text nor a dictionary.
        """
        from azureml.core.run import Run

        return Run.list(self, type=type, tags=tags, properties=properties, include_children=include_children)

    # ---- tags and archive ----

    def tag(self, key: str, value: Optional[str] = None) -> None:
        """Set one tag."""
        self.set_tags({key: value})

    def set_tags(self, tags: Dict[str, Any]) -> None:
        """Set these tags; others stay."""
        texts = {str(key): value if value is None else str(value) for key, value in tags.items()}
        with v1_errors():
            self._cached = self._client.update_experiment(self.id, tags=texts)

    def remove_tags(self, tags: List[str]) -> None:
        """Remove the tags of these names."""
        with v1_errors():
            self._cached = self._client.update_experiment(self.id, remove_tags=[tags] if isinstance(tags, str) else [*tags])

    def refresh(self) -> None:
        """Read the experiment again."""
        self._cached = None
        self._load()

    def archive(self) -> None:
        """Take it out of the lists. Submitting to it still works."""
        with v1_errors():
            self._cached = self._client.update_experiment(self.id, archived=True)

    def reactivate(self, new_name: Optional[str] = None) -> None:
        """Put an archived experiment back into the lists.

        Raises:
            UserErrorException: `new_name` was given; experiments can't be renamed.
        """
        from azureml.exceptions import UserErrorException

        if new_name is not None:
            raise UserErrorException(f"The experiment '{self.name}' can't get the new name '{new_name}': experiments keep their names.")
        with v1_errors():
            self._cached = self._client.update_experiment(self.id, archived=False)

    # ---- finding and removing ----

    @staticmethod
    def list(
        workspace: Workspace, experiment_name: Optional[str] = None, view_type: str = ViewType.ActiveOnly, tags: Filter = None
    ) -> List[Experiment]:
        """Return the experiments of a workspace.

        Args:
            workspace: The workspace.
            experiment_name: Only the experiment of this name.
            view_type: Active ones, archived ones, or all: see ViewType.
            tags: A tag's name, or pairs that must all match.
        """
        check_filters(tags=tags)
        with v1_errors():
            records = workspace._client.list_experiments(workspace._id, include_archived=view_type != ViewType.ActiveOnly)
        return [
            Experiment._from_record(workspace, record)
            for record in records
            if (experiment_name is None or record["name"] == experiment_name)
            and (view_type != ViewType.ArchivedOnly or record.get("archived_at"))
            and _has_tags(record.get("tags") or {}, tags)
        ]

    @staticmethod
    def delete(workspace: Workspace, experiment_id: str) -> None:
        """Remove an experiment that has no runs."""
        with v1_errors():
            workspace._client.delete_experiment(experiment_id)

    @staticmethod
    def from_directory(path: str, auth: Any = None) -> Experiment:
        """Return the experiment named like the folder, in the workspace that the folder's configuration file names."""
        import os

        from azureml.core.workspace import Workspace

        return Experiment(Workspace.from_config(path, auth=auth), os.path.basename(os.path.abspath(path)))


def _has_tags(tags: Dict[str, Any], wanted: Filter) -> bool:
    if wanted is None:
        return True
    if isinstance(wanted, str):
        return wanted in tags
    return all(key in tags and tags[key] == value for key, value in wanted.items())


def _understood(submit: Any, given: Dict[str, Any], kind: str) -> Dict[str, Any]:
    """The keywords that this submit function takes; a warning names the others."""
    import inspect

    parameters = inspect.signature(submit).parameters
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
        return given
    for name in given:
        if name not in parameters:
            _LOGGER.warning("Experiment.submit(%s) has no argument '%s'; it is ignored.", kind, name)
    return {name: value for name, value in given.items() if name in parameters}
