"""`penstock lineage`: what a run read and wrote, or which runs wrote and read a dataset."""

from __future__ import annotations

import difflib
import json
import re
import uuid
from typing import Any

from penstock.cli.datasets import list_workspaces
from penstock.cli.lookup import LAST, SHORT, Run, describe, get_run
from penstock.cli.progress import Progress
from penstock.cli.runs import spell_status
from penstock.cli.tables import format_table, format_time
from penstock.client import connect
from penstock.model.errors import Invalid, NotFound
from penstock.model.ids import short_id
from penstock.model.run_types import STEP_RUN

Row = dict[str, Any]

_VERSIONED = re.compile(r"(.+):(\d{1,18}|latest)")
_LOOKED_AT = 1_000  # readings and writings of one dataset, to find who else did
_NAMED_RUNS = 2  # of those that wrote or read the same, in one line


def print_lineage(text: str, workspace: str | None, limit: int, *, as_json: bool) -> int:
    """Print the lineage of what `text` names: a run, a dataset by name, with or without a version, or a dataset by its id."""
    with Progress("asking for the lineage"):
        lines, rows = _tell(text, workspace, limit)
    if len(rows) == limit:
        lines = [*lines, "", f"These are the newest {limit}; --limit N shows more."]
    print(json.dumps(rows, indent=2) if as_json else "\n".join(lines))
    return 0


def _tell(text: str, workspace: str | None, limit: int) -> tuple[list[str], list[Row]]:
    workspaces = list_workspaces(workspace)
    found = _find_dataset(text, workspaces, limit) if text != LAST else None
    if found is not None:
        return _tell_dataset(text, found), found
    try:
        run = get_run(text)
    except NotFound as error:
        raise error if text == LAST else _nothing_named(text, workspaces, error) from None
    rows = connect().list_lineage(run["workspace_id"], run_id=run["id"], limit=limit)
    return _tell_run(run, rows), rows


# From what was typed to a dataset


def _find_dataset(text: str, workspaces: list[Row], limit: int) -> list[Row] | None:
    """Return the lineage of the dataset that a text names, None where it names none.

    Raises:
        Invalid: Datasets of several workspaces have this name.
        NotFound: There is the name, but not this version.
    """
    found = []
    for item in workspaces:
        rows = _ask(item["id"], text, limit)
        if rows is not None:
            found.append((item, rows))
    if len(found) > 1:
        names = ", ".join(item["name"] for item, _ in found)
        raise Invalid(f"Datasets in several workspaces have the name '{text}': {names}. Choose one with --workspace NAME.")
    return found[0][1] if found else None


def _ask(workspace_id: str, text: str, limit: int) -> list[Row] | None:
    """Return the lineage of the dataset with this name, name and version, or id; None where there is none."""
    client = connect()
    whole = _try(workspace_id, limit, name=text)
    if whole is not None:
        return whole
    versioned = _VERSIONED.fullmatch(text)
    if versioned and _try(workspace_id, limit, name=versioned[1]) is not None:
        return client.list_lineage(workspace_id, name=versioned[1], version=versioned[2], limit=limit)  # tells which versions there are
    return _try(workspace_id, limit, dataset_id=text) if _is_id(text) else None


def _try(workspace_id: str, limit: int, **what: str) -> list[Row] | None:
    try:
        return connect().list_lineage(workspace_id, limit=limit, **what)
    except NotFound:
        return None


def _is_id(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False


def _nothing_named(text: str, workspaces: list[Row], error: NotFound) -> NotFound:
    """Return the error for a text that names neither a run nor a dataset, with what was probably meant."""
    names = [dataset["name"] for item in workspaces for dataset in connect().list_datasets(item["id"])]
    near = difflib.get_close_matches(text.partition(":")[0], sorted(set(names)), n=1)
    hint = f" Did you mean '{near[0]}'?" if near else f"{error.message.partition('.')[2]} 'penstock datasets' lists datasets."
    return NotFound(f"There is neither a run nor a dataset '{text}'.{hint}")


# The lineage of a dataset


def _tell_dataset(text: str, rows: list[Row]) -> list[str]:
    lines = [f"dataset  {text}{_tell_id(rows)}"]
    if not rows:
        return [*lines, "", "No run has read or written it yet."]
    places = list(dict.fromkeys(place for row in rows for place in row["places"]))
    lines += [f"{'places' if index == 0 else ''}".ljust(9) + place for index, place in enumerate(places[:10])]
    for direction, head in (("output", "written by"), ("input", "read by")):
        lines += ["", f"{head}:" if any(row["direction"] == direction for row in rows) else f"{head} no run"]
        lines += _runs_table([row for row in rows if row["direction"] == direction])
    return lines


def _tell_id(rows: list[Row]) -> str:
    ids = {row["dataset_id"] for row in rows}
    return f"  ({next(iter(ids))})" if len(ids) == 1 else ""


def _runs_table(rows: list[Row]) -> list[str]:
    if not rows:
        return []
    heads = ("RUN", "NAME", "STATUS", "AT", "VERSION", "AS")
    cells = [
        (short_id(row["run_id"]), name_run(row), _spell(row), format_time(row["at"]), tell_version(row), row["port"] or row["mode"] or "")
        for row in rows
    ]
    return [f"  {line}" for line in format_table(heads, cells).splitlines()]


def name_run(row: Row) -> str:
    """Return the run of a row as a person knows it: the step and its pipeline run, or the experiment."""
    if row["run_type"] == STEP_RUN:
        return f"{row['run_name']} of {row['experiment_name']} {short_id(str(row['pipeline_run_id']))}"
    return str(row["experiment_name"])


def tell_version(row: Row) -> str:
    """Return the name and version of a row, or the beginning of its id where it has no name."""
    return f"{row['name']}:{row['version']}" if row["name"] else str(row["dataset_id"])[:SHORT]


def _spell(row: Row) -> str:
    status = spell_status({"type": row["run_type"], "status": row["status"]})
    return f"{status} (reused)" if row["reused_run_id"] else status


# The lineage of a run


def _tell_run(run: Run, rows: list[Row]) -> list[str]:
    lines = [f"run     {run['id']}", f"name    {describe(run)}", f"status  {spell_status(run)}", ""]
    if not rows:
        return [*lines, "It has read and written no dataset."]
    others = {dataset_id: connect().list_lineage(run["workspace_id"], dataset_id=dataset_id, limit=_LOOKED_AT) for dataset_id in _ids(rows)}
    heads = ("STEP", "DID", "DATASET", "AS", "PLACES", "ALSO")
    cells = [
        (
            _step_name(row),
            _tell_deed(row),
            tell_version(row),
            row["port"],
            _places(row),
            _also(row, others),
        )
        for row in _in_order(rows)
    ]
    return [*lines, *format_table(heads, cells).splitlines()]


def _ids(rows: list[Row]) -> list[str]:
    return list(dict.fromkeys(row["dataset_id"] for row in rows))


def _in_order(rows: list[Row]) -> list[Row]:
    """Oldest run first; what it read, then what it wrote."""
    begins: dict[str, str] = {}
    for row in rows:
        begins[row["run_id"]] = min(row["at"], begins.get(row["run_id"], row["at"]))
    return sorted(rows, key=lambda row: (begins[row["run_id"]], row["run_id"], row["direction"], row["port"]))


def _step_name(row: Row) -> str:
    return str(row["run_name"]) if row["run_type"] == STEP_RUN else ""


def _tell_deed(row: Row) -> str:
    if row["reused_run_id"]:
        return "would read" if row["direction"] == "input" else "reused"
    return "read" if row["direction"] == "input" else "wrote"


def _places(row: Row) -> str:
    first, *more = row["places"] or [""]
    return f"{first} and {len(more)} more" if more else str(first)


def _also(row: Row, others: dict[str, list[Row]]) -> str:
    """Who wrote what was read, and who read what was written. A step that took over the outputs of another did neither."""
    wanted, word = ("output", "written by") if row["direction"] == "input" else ("input", "read by")
    found = [item for item in others[row["dataset_id"]] if item["direction"] == wanted and not item["reused_run_id"]]
    names = list(dict.fromkeys(name_run(item) for item in found))
    if not names:
        return ""
    more = f" and {len(names) - _NAMED_RUNS} more" if len(names) > _NAMED_RUNS else ""
    return f"{word} {', '.join(names[:_NAMED_RUNS])}{more}"
