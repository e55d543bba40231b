"""A schedule as v1 wrote it in YAML: the arguments of `Schedule.create`."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Dict, Mapping, Optional

from azureml.core._nearest import nearest
from azureml.core._yaml_text import parse_yaml, read_text
from azureml.pipeline.core._recurrence import ScheduleRecurrence
from azureml.pipeline.core._time_zones import TimeZone

_SECTION = "Schedule"
_PLAIN = (
    "description",
    "pipeline_parameters",
    "wait_for_provisioning",
    "wait_timeout",
    "polling_interval",
    "data_path_parameter_name",
    "continue_on_step_failure",
    "path_on_datastore",
)
_RECURRENCE = ("frequency", "interval", "start_time", "time_zone", "hours", "minutes", "time_of_day", "week_days")
_BASE = 60  # YAML 1.1 reads 9:30 as a number in base 60
_NOTHING = (None, "None")  # v1's documentation has Python's word, too


class Arguments(Dict[str, Any]):
    """The arguments that a file gives. The datastore is found under the name that it has in the file, too."""

    def __missing__(self, name: str) -> Any:
        if name == "datastore_name" and "datastore" in self:
            return self["datastore"]
        raise KeyError(name)

    def get(self, name: str, default: Any = None) -> Any:
        """Return an argument, or `default` when the file does not give it."""
        try:
            return self[name]
        except KeyError:
            return default


def load_arguments(workspace: Any, filename: str) -> Dict[str, Any]:
    """Return what a file says of a schedule; what it leaves empty is left out.

    Raises:
        ValueError: It has no section `Schedule`, or that says what no schedule can be.
        UserErrorException: It is no YAML, or the workspace has no such datastore.
    """
    section = _read_section(filename)
    found = Arguments({name: section[name] for name in _PLAIN if section.get(name) not in _NOTHING})
    if section.get("datastore_name") not in _NOTHING:
        from azureml.core.datastore import Datastore

        found["datastore"] = Datastore.get(workspace, str(section["datastore_name"]))
    if section.get("recurrence") not in _NOTHING:
        found["recurrence"] = _read_recurrence(section["recurrence"], filename)
    return found


def _read_section(filename: str) -> Mapping[str, Any]:
    document = parse_yaml(read_text(str(filename)), str(filename))
    if not isinstance(document, Mapping) or _SECTION not in document:
        known = [str(name) for name in document] if isinstance(document, Mapping) else []
        raise ValueError(f"'{filename}' has no section '{_SECTION}'.{nearest(_SECTION, known, 'sections')}")
    section = document[_SECTION]
    if section is not None and not isinstance(section, Mapping):
        raise ValueError(f"The section '{_SECTION}' of '{filename}' must hold names and values, not {section!r}.")
    return section or {}


def _read_recurrence(document: Any, filename: str) -> ScheduleRecurrence:
    if not isinstance(document, Mapping):
        raise ValueError(f"The recurrence in '{filename}' must hold names and values, not {document!r}.")
    for name in document:
        if name not in _RECURRENCE:
            raise ValueError(f"The recurrence in '{filename}' says {name!r}.{nearest(str(name), _RECURRENCE)}")
    given = {name: document[name] for name in _RECURRENCE if document.get(name) not in _NOTHING}
    for name in ("frequency", "interval"):
        if name not in given:
            raise ValueError(f"The recurrence in '{filename}' does not say its {name}.")
    given["time_zone"] = _read_zone(given.get("time_zone"), filename)
    if isinstance(given.get("start_time"), date):
        given["start_time"] = _read_start(given["start_time"])
    if isinstance(given.get("time_of_day"), int):
        given["time_of_day"] = "{}:{:02d}".format(*divmod(given["time_of_day"], _BASE))
    return ScheduleRecurrence(**given)


def _read_start(moment: date) -> str:
    """Return as text what YAML reads as a date or a time: one that says how far from UTC it is means that moment, as a text does."""
    return (moment if isinstance(moment, datetime) else datetime(moment.year, moment.month, moment.day)).isoformat()


def _read_zone(text: Any, filename: str) -> Optional[TimeZone]:
    if text is None:
        return None
    try:
        return TimeZone(text)
    except ValueError:
        known = [zone.value for zone in TimeZone]
        raise ValueError(f"The recurrence in '{filename}' has the time zone {text!r}.{nearest(str(text), known, 'time zones')}") from None
