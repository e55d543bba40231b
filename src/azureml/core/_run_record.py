"""What every run object knows: its experiment, its id, and the record last read from the service."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Dict, List, Mapping, Optional, Union

from azureml.core._errors import v1_errors
from azureml.core._portal import HasRunPortal
from penstock.model.status import is_final

if TYPE_CHECKING:
    from azureml.core.experiment import Experiment

_LOGGER = logging.getLogger("penstock")


class RunRecord(HasRunPortal):
    """The part of a run that reads and changes its record."""

    _experiment: Experiment
    _run_id: str
    _cached: Optional[Dict[str, Any]]
    _parent: Any

    @property
    def _client(self) -> Any:
        return self._experiment.workspace._client

    @property
    def _record(self) -> Dict[str, Any]:
        """The run as last read; read now when it never was."""
        if self._cached is None:
            self._refresh()
        assert self._cached is not None
        return self._cached

    @_record.setter
    def _record(self, value: Optional[Dict[str, Any]]) -> None:
        self._cached = value

    def _refresh(self) -> Dict[str, Any]:
        with v1_errors():
            record: Dict[str, Any] = self._client.get_run(self._run_id)
        self._cached = record
        return record

    def _update(self, **changes: Any) -> None:
        with v1_errors():
            self._cached = self._client.update_run(self._run_id, **changes)

    def __repr__(self) -> str:
        facts = {"Experiment": self.experiment.name, "Id": self.id, "Type": self.type, "Status": self.status}
        return "Run(" + ",\n".join(f"{name}: {value}" for name, value in facts.items()) + ")"

    def _repr_html_(self) -> str:
        from azureml.core._html import table

        facts = {"Experiment": self.experiment.name, "Id": self.id, "Type": self.type, "Status": self.status}
        return table(facts, {"Details Page": self.get_portal_url(), "Docs Page": self.get_docs_url()})

    @classmethod
    def get_docs_url(cls) -> str:
        """Return where v1's runs are described."""
        return f"https://docs.microsoft.com/python/api/azureml-core/azureml.core.run.{cls.__name__}"

    # ---- identity ----

    @property
    def id(self) -> str:
        """The run's id."""
        return self._run_id

    @property
    def experiment(self) -> Experiment:
        """The experiment it belongs to."""
        return self._experiment

    @property
    def name(self) -> Optional[str]:
        """The run's name; a step run has its step's."""
        return self._record.get("name")

    @property
    def display_name(self) -> Optional[str]:
        """The name that people see; it can be changed."""
        return self._record.get("display_name")

    @display_name.setter
    def display_name(self, value: Optional[str]) -> None:
        self._update(display_name=value)

    @property
    def description(self) -> Optional[str]:
        """What the run is for; it can be changed."""
        return self._record.get("description")

    @description.setter
    def description(self, value: Optional[str]) -> None:
        self._update(description=value)

    @property
    def number(self) -> int:
        """The run's number in its experiment; later runs have greater ones."""
        return int(self._record["number"])

    @property
    def type(self) -> Optional[str]:
        """The kind of run, such as 'azureml.PipelineRun'; None for an interactive one."""
        found = self._record.get("type")
        return None if found is None else str(found)

    # ---- status ----

    @property
    def status(self) -> str:
        """The status as last read; `get_status` reads it again."""
        return str(self._record["status"])

    def get_status(self) -> str:
        """Return the status now: NotStarted, Queued, Starting, Running, Finalizing, CancelRequested, Completed, Failed or Canceled."""
        if not is_final(self._record["status"]):
            self._refresh()
        return self.status

    def get_detailed_status(self) -> Dict[str, Any]:
        """Return the status, and under `details` what the run waits for, or None."""
        return {"status": self.get_status(), "details": self._record.get("reason") if not is_final(self._record["status"]) else None}

    # ---- tags and properties ----

    @property
    def tags(self) -> Dict[str, Optional[str]]:
        """The tags as last read."""
        return dict(self._record.get("tags") or {})

    def get_tags(self) -> Dict[str, Optional[str]]:
        """Return the tags as they are now."""
        self._refresh()
        return self.tags

    def tag(self, key: str, value: Optional[str] = None) -> None:
        """Set one tag; it may have no value."""
        self.set_tags({key: value})

    def set_tags(self, tags: Dict[str, Any]) -> None:
        """Set these tags; others stay."""
        self._update(tags=as_texts("tag", tags))

    def remove_tags(self, tags: Union[str, List[str]]) -> None:
        """Remove the tags of these names."""
        self._update(remove_tags=[tags] if isinstance(tags, str) else [*(tags or [])])

    @property
    def properties(self) -> Dict[str, str]:
        """The properties as last read."""
        return dict(self._record.get("properties") or {})

    def get_properties(self) -> Dict[str, str]:
        """Return the properties as they are now."""
        self._refresh()
        return self.properties

    def add_properties(self, properties: Dict[str, Any]) -> None:
        """Add properties. Each can be set once and stays as it is.

        Raises:
            ServiceException: One of them has another value already.
        """
        self._update(properties=as_texts("property", properties))


def as_texts(kind: str, values: Any) -> Dict[str, Optional[str]]:
    """Return tags or properties as v1 stored them: as text, with a warning for each value that was none.

    Raises:
        UserErrorException: They are no dictionary.
    """
    if not isinstance(values, Mapping):
        from azureml.exceptions import UserErrorException

        example = "{'area': 'sales'}"
        raise UserErrorException(f"A {kind} has a name and a text: give a dictionary such as {example}, not a {type(values).__name__}.")
    for key, value in values.items():
        if value is not None and not isinstance(value, str):
            _LOGGER.warning("The %s '%s' is stored as text: %r becomes %r.", kind, key, value, str(value))
    return {str(key): value if value is None else str(value) for key, value in values.items()}
