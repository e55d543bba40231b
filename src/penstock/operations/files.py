"""The files of a run: artifacts, live outputs and logs, under the names that v1 gave them.

A run's folder holds `files/` (artifacts), `user_logs/` (what the script printed), and while a step goes on `work/` (where it works;
its `outputs` and `logs` are seen at once). A reused step shows the files of the run that made them.
"""

from __future__ import annotations

import io
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from penstock.client.home import Home
from penstock.model.errors import NotFound, Unavailable
from penstock.operations import runs
from penstock.operations.context import Context
from penstock.storage.built import log_path
from penstock.storage.files import IncomingFile, OpenFile
from penstock.storage.paths import clean_relative, is_inside, safe_join

STD_LOG = "user_logs/std_log.txt"
DRIVER_LOG = "azureml-logs/70_driver_log.txt"  # the same log under its older name
BUILD_LOG = "azureml-logs/20_image_build_log.txt"  # of the step's environment: while it is built, and afterwards
EXECUTION_LOG = "logs/azureml/executionlogs.txt"
STDOUT_LOG = "logs/azureml/stdoutlogs.txt"
STDERR_LOG = "logs/azureml/stderrlogs.txt"
_COLLECTED = "files"
_LIVE = ("outputs", "logs")
_SYNTHETIC = (EXECUTION_LOG, STDERR_LOG, STDOUT_LOG)


def source_run_id(context: Context, run_id: str) -> str:
    """Return whose files, metrics and outputs a run shows: its own, or for a reused step those of the original.

    Raises:
        NotFound: There is no such run.
    """
    row = context.database.first(
        "select coalesce(step_runs.reused_run_id, runs.id) as source"
        " from runs left join step_runs on step_runs.run_id = runs.id where runs.id = ?",
        (run_id,),
    )
    if row is None:
        raise NotFound(f"There is no run with the id '{run_id}'.")
    return str(row["source"])


def list_files(context: Context, run_id: str) -> list[dict[str, Any]]:
    """Return name and size of every file of a run, by name. No file is read for it."""
    folder = context.home.run_folder(source_run_id(context, run_id))
    found = dict(_walk(folder / "work" / "outputs", "outputs/"))
    found.update(_walk(folder / "work" / "logs", "logs/"))
    found.update(_walk(folder / "user_logs", "user_logs/"))
    if STD_LOG in found:
        found[DRIVER_LOG] = found[STD_LOG]
    found.update(_build_log(context, run_id))
    made = _made_sizes(context, run_id, found.get(STD_LOG))
    files = dict(_walk(folder / _COLLECTED, ""))  # a file that was collected wins over the live one, and over one that is made of rows
    return [{"name": name, "size": size} for name, size in sorted({**found, **made, **files}.items())]


def _build_log(context: Context, run_id: str) -> dict[str, int]:
    path = _build_log_path(context, run_id)
    try:
        return {BUILD_LOG: path.stat().st_size} if path else {}
    except OSError:  # the environment was removed, or its build has written nothing yet
        return {}


def _build_log_path(context: Context, run_id: str) -> Path | None:
    """Return the log of the build that a step waited for, or could have; None where its environment was there before it."""
    row = context.database.first(
        "select b.key from step_runs s join runs r on r.id = s.run_id join environment_builds b on b.key = s.environment_key"
        " where s.run_id = ? and (b.ended_at is null or b.ended_at > r.created_at)",
        (source_run_id(context, run_id),),
    )
    return log_path(context.home, row["key"]) if row else None


def _walk(root: Path, prefix: str) -> Iterator[tuple[str, int]]:
    """Yield name and size of the regular files below a folder; links that lead out of it are left out."""
    real_root = os.path.realpath(root)
    pending = [(str(root), prefix)]
    while pending:
        folder, above = pending.pop()
        try:
            entries = list(os.scandir(folder))
        except OSError:  # gone meanwhile
            continue
        for entry in entries:
            name = above + entry.name
            if entry.is_dir(follow_symlinks=False):
                pending.append((entry.path, f"{name}/"))
                continue
            try:
                name.encode("utf-8")
                if entry.is_file() and (not entry.is_symlink() or is_inside(os.path.realpath(entry.path), real_root)):
                    yield name, entry.stat().st_size
            except (OSError, UnicodeEncodeError):  # gone meanwhile, or a name that no text can hold
                continue


def open_file(context: Context, run_id: str, name: str, offset: int = 0) -> OpenFile:
    """Open one file of a run, from an offset on; an offset behind the end gives no bytes, so that logs can be followed.

    Raises:
        NotFound: The run has no such file.
        Invalid: The name leaves the run's folder.
    """
    plain = clean_relative(name)
    build_log = _build_log_path(context, run_id) if plain == BUILD_LOG else None
    for path in [build_log] if build_log else _places(context.home.run_folder(source_run_id(context, run_id)), plain):
        try:
            if path.is_file():
                return OpenFile(path.open("rb"), offset)
        except FileNotFoundError:  # collected at this very moment: it is in the next place
            continue
        except OSError as error:
            raise Unavailable(f"The file '{plain}' of run {run_id} can't be read: {error.strerror}.") from error
    text = _synthesise(context, run_id, plain) if plain in _SYNTHETIC else None
    if text is None:
        known = [item["name"] for item in list_files(context, run_id)]
        raise NotFound.named("file", plain, known, f"run {run_id}")
    return OpenFile(io.BytesIO(text), offset)


def _places(folder: Path, name: str) -> Iterator[Path]:
    """Yield where a file may lie, the best place first; the artifacts once more at the end, as live files move there."""
    yield safe_join(folder / _COLLECTED, name)
    if name == DRIVER_LOG:
        yield folder / STD_LOG
    first, _, rest = name.partition("/")
    if first == "user_logs" and rest:
        yield safe_join(folder / "user_logs", rest)
    if first in _LIVE and rest:
        yield safe_join(folder / "work" / first, rest)
        yield safe_join(folder / _COLLECTED, name)


# Logs that are made of rows


def _made_sizes(context: Context, run_id: str, std_log_size: int | None) -> dict[str, int]:
    """Return name and size of the logs that `_synthesise` would make."""
    row = runs.get_row(context, run_id)
    if not row["is_pipeline"] and not row["is_step"]:
        return {}
    size = context.database.first(f"select coalesce(sum(length(cast({_LINE} as blob))), 0) as size {_EVENTS}", _places_of(row))
    assert size is not None
    found = {EXECUTION_LOG: size["size"], STDERR_LOG: len(_error_text(row))}
    if not row["is_step"]:
        found[STDOUT_LOG] = 0
    elif std_log_size is not None:
        found[STDOUT_LOG] = std_log_size
    return found


def _synthesise(context: Context, run_id: str, name: str) -> bytes | None:
    """Return v1's orchestrator logs, which nobody writes here: made from the events. None for a run that has none."""
    row = runs.get_row(context, run_id)
    if not row["is_pipeline"] and not row["is_step"]:
        return None
    if name == EXECUTION_LOG:
        lines = context.database.all(f"select {_LINE} as line {_EVENTS} order by events.sequence", _places_of(row))
        return "".join(item["line"] for item in lines).encode()
    if name == STDOUT_LOG and row["is_step"]:
        return _read_whole(context.home.run_folder(source_run_id(context, run_id)) / STD_LOG)
    return _error_text(row) if name == STDERR_LOG else b""


def _error_text(row: Mapping[str, Any]) -> bytes:
    return f"{json.loads(row['error']).get('message', '')}\n".encode() if row["error"] else b""


def _read_whole(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


# A line of the execution log, newline included. The database makes it, so that it can also tell how long the log is.
_LINE = """
    '[' || events.at || '] ' || coalesce(runs.name, 'None') || ' (' || events.run_id || '): ' || coalesce(events.status, 'event')
    || iif(coalesce(events.reason, '') = '', '', ' - ' || events.reason) || char(10)"""

# The events of a run itself and, for a pipeline run, of its steps.
_EVENTS = """
    from events join runs on runs.id = events.run_id left join step_runs on step_runs.run_id = events.run_id
    where events.root_run_id = :root and (events.run_id = :run or step_runs.pipeline_run_id = :run)"""


def _places_of(row: Mapping[str, Any]) -> dict[str, str]:
    return {"root": row["root_run_id"], "run": row["id"]}


# Collected files


def collected_folder(home: Home, run_id: str) -> Path:
    """Return the folder of a run's artifacts: what was sent to it, and what a step left when it ended."""
    return home.run_folder(run_id) / _COLLECTED


def receive_file(context: Context, run_id: str, name: str) -> IncomingFile:
    """Return the place for an artifact of a run, to be written and finished.

    Raises:
        NotFound: There is no such run.
        Invalid: The name leaves the run's folder.
    """
    runs.get_row(context, run_id)
    path = safe_join(collected_folder(context.home, run_id), name)
    return IncomingFile(path, context.home.run_folder(run_id) / "incoming")


def delete_file(context: Context, run_id: str, name: str) -> None:
    """Remove an artifact, a file or a folder; one that is not there is no error.

    Raises:
        Invalid: The name leaves the run's folder.
        Unavailable: It can't be removed.
    """
    try:
        _remove(safe_join(collected_folder(context.home, run_id), name))
    except FileNotFoundError:
        return
    except OSError as error:
        raise Unavailable(f"The artifact '{name}' of run {run_id} can't be removed: {error.strerror}.") from error


def _remove(path: Path) -> None:
    if path.is_symlink() or not path.is_dir():
        os.unlink(path)
    else:
        shutil.rmtree(path)
