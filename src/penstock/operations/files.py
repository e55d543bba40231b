"""The files of a run: artifacts, live outputs and logs, under the names that v1 gave them.

A run's folder holds `files/` (artifacts), `user_logs/` (what the script printed), and while a step goes on `work/` (where it works;
its `outputs` and `logs` are seen at once). A reused step shows the files of the run that made them.
"""

from __future__ import annotations

import io
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

from penstock.model.errors import NotFound, Refused, Unavailable
from penstock.operations import runs
from penstock.operations.context import Context
from penstock.storage.paths import clean_relative, is_inside, safe_join

STD_LOG = "user_logs/std_log.txt"
DRIVER_LOG = "azureml-logs/70_driver_log.txt"  # the same log under its older name
EXECUTION_LOG = "logs/azureml/executionlogs.txt"
STDOUT_LOG = "logs/azureml/stdoutlogs.txt"
STDERR_LOG = "logs/azureml/stderrlogs.txt"
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
    """Return name and size of every file of a run, by name."""
    folder = context.home.run_folder(source_run_id(context, run_id))
    found = dict(_walk(folder / "work" / "outputs", "outputs/"))
    found.update(_walk(folder / "work" / "logs", "logs/"))
    found.update(_walk(folder / "user_logs", "user_logs/"))
    if STD_LOG in found:
        found[DRIVER_LOG] = found[STD_LOG]
    found.update(_walk(folder / "files", ""))  # last: a file that was collected wins over the live one
    for name in _SYNTHETIC:
        text = None if name in found else _synthesise(context, run_id, name)
        if text is not None:
            found[name] = len(text)
    return [{"name": name, "size": size} for name, size in sorted(found.items())]


def _walk(root: Path, prefix: str) -> Iterator[tuple[str, int]]:
    """Yield name and size of the regular files below a folder; links that lead out of it are left out."""
    real_root = os.path.realpath(root)
    for folder, _, names in os.walk(root):
        for name in names:
            path = os.path.join(folder, name)
            relative = prefix + os.path.relpath(path, root).replace(os.sep, "/")
            try:
                relative.encode("utf-8")
                if os.path.isfile(path) and is_inside(os.path.realpath(path), real_root):
                    yield relative, os.stat(path).st_size
            except (OSError, UnicodeEncodeError):  # gone meanwhile, or a name that no text can hold
                continue


class OpenFile:
    """A file that is being read: what is left of it from an offset on, as it was when it was opened."""

    def __init__(self, file: BinaryIO, offset: int) -> None:
        self._file = file
        end = file.seek(0, os.SEEK_END)
        self.size = max(end - offset, 0)
        file.seek(min(offset, end))

    def read(self, size: int) -> bytes:
        """Return the next bytes; b"" at the end."""
        return self._file.read(size)

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()


def open_file(context: Context, run_id: str, name: str, offset: int = 0) -> OpenFile:
    """Open one file of a run, from an offset on; an offset behind the end gives no bytes, so that logs can be followed.

    Raises:
        NotFound: The run has no such file.
        Invalid: The name leaves the run's folder.
    """
    plain = clean_relative(name)
    for path in _places(context.home.run_folder(source_run_id(context, run_id)), plain):
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
    yield safe_join(folder / "files", name)
    if name == DRIVER_LOG:
        yield folder / STD_LOG
    first, _, rest = name.partition("/")
    if first == "user_logs" and rest:
        yield safe_join(folder / "user_logs", rest)
    if first in _LIVE and rest:
        yield safe_join(folder / "work" / first, rest)
        yield safe_join(folder / "files", name)


# Logs that are made of rows


def _synthesise(context: Context, run_id: str, name: str) -> bytes | None:
    """Return v1's orchestrator logs, which nobody writes here: made from the events. None for a run that has none."""
    row = runs.get_row(context, run_id)
    if not row["is_pipeline"] and not row["is_step"]:
        return None
    if name == EXECUTION_LOG:
        return _execution_log(context, row).encode()
    if name == STDOUT_LOG and row["is_step"]:
        return _read_whole(context.home.run_folder(source_run_id(context, run_id)) / STD_LOG)
    if name == STDERR_LOG and row["error"]:
        return f"{json.loads(row['error']).get('message', '')}\n".encode()
    return b""


def _read_whole(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


def _execution_log(context: Context, row: Mapping[str, Any]) -> str:
    names = {step["run_id"]: step["name"] for step in _steps(context, row)}
    events = context.database.all(
        "select * from events where root_run_id = ? and run_id in (select value from json_each(?)) order by sequence",
        (row["root_run_id"], json.dumps(list(names))),
    )
    return "".join(f"{_log_line(event, names[event['run_id']])}\n" for event in events)


def _steps(context: Context, row: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the run itself and, for a pipeline run, its steps: id and name."""
    own = [{"run_id": row["id"], "name": row["name"]}]
    if not row["is_pipeline"]:
        return own
    sql = "select run_id, name from step_runs join runs on runs.id = run_id where pipeline_run_id = ?"
    return own + context.database.all(sql, (row["id"],))


def _log_line(event: Mapping[str, Any], name: str) -> str:
    words = [f"[{event['at']}]", str(name), f"({event['run_id']}):", event["status"] or "event"]
    return " ".join([*words, *([f"- {event['reason']}"] if event["reason"] else [])])


# Writing


class IncomingFile:
    """An artifact on its way in: written beside its place, then renamed, so that it appears whole or not at all."""

    def __init__(self, context: Context, run_id: str, name: str) -> None:
        runs.get_row(context, run_id)
        folder = context.home.run_folder(run_id)
        self._path = safe_join(folder / "files", name)
        try:
            (folder / "incoming").mkdir(parents=True, exist_ok=True)
            handle, self._temporary = tempfile.mkstemp(dir=folder / "incoming")
        except OSError as error:
            raise self._trouble(error) from error
        self._file = os.fdopen(handle, "wb")
        self.size = 0

    def _trouble(self, error: OSError) -> Unavailable:
        return Unavailable(f"The file {self._path} can't be written: {error.strerror}. Nothing was changed.")

    def __enter__(self) -> IncomingFile:
        return self

    def write(self, data: bytes) -> None:
        """Take the next bytes."""
        self.size += len(data)
        try:
            self._file.write(data)
        except OSError as error:
            raise self._trouble(error) from error

    def finish(self) -> None:
        """Put the file in its place, over an older one."""
        try:
            self._file.close()
            self._path.parent.mkdir(parents=True, exist_ok=True)
            os.replace(self._temporary, self._path)
        except (IsADirectoryError, NotADirectoryError, FileExistsError) as error:
            raise Refused(f"The file can't be kept as {self._path}: a file and a folder would have the same name.") from error
        except OSError as error:
            raise self._trouble(error) from error

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for leave in (self._file.close, lambda: os.unlink(self._temporary)):
            try:
                leave()
            except OSError:  # renamed already, or the disk is full: either way there is nothing to keep
                pass
