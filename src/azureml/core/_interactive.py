"""Runs that a process starts and drives itself: no script is submitted, the process is the script."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, Dict, List, Optional, TextIO

from azureml.core._errors import v1_errors

if TYPE_CHECKING:
    from azureml.core._run_files import RunFiles
    from azureml.core.experiment import Experiment
    from azureml.core.run import Run

_POSITIONS = ("name", "run_id", "outputs", "snapshot_directory")


def start_logging(experiment: Experiment, *args: Any, **kwargs: Any) -> Run:
    """Start an interactive run; see `Experiment.start_logging`."""
    from azureml.core._git import git_properties
    from azureml.core._run_snapshots import SNAPSHOT_ID, first_snapshot
    from azureml.core.run import Run
    from penstock.model.ids import new_id

    given: Dict[str, Any] = {**dict(zip(_POSITIONS, args)), **kwargs}
    run_id = given.get("run_id") or new_id()
    properties = {**git_properties(os.getcwd()), **(given.get("properties") or {})}
    with v1_errors():
        snapshot_id = first_snapshot(experiment._client, given)
        if snapshot_id is not None:
            properties[SNAPSHOT_ID] = snapshot_id
        record = experiment._client.create_run(
            experiment.workspace._id,
            experiment.name,
            name=given.get("name") or f"run_{run_id}",
            run_id=given.get("run_id"),
            request_id=run_id,
            tags=given.get("tags"),
            properties=properties,
            display_name=given.get("display_name"),
            description=given.get("description"),
            status="Running",
        )
    outputs = given.get("outputs")
    return Run(experiment, record["id"], outputs=True if outputs is None else outputs, _record=record, _console=Console())


class TrackedFolders:
    """Folders whose files are stored when the run ends.

    Args:
        outputs: True for `./outputs`, which is made; a folder or a list of them; None or False for nothing.
    """

    def __init__(self, outputs: Any) -> None:
        names: List[str] = []
        if outputs is True:
            names = ["outputs"]
            os.makedirs("outputs", exist_ok=True)
        elif outputs:
            names = [outputs] if isinstance(outputs, str) else [str(name) for name in outputs]
        # The script may change its folder before the run ends.
        self._paths = {name: os.path.abspath(name) for name in names}

    def store(self, run: Run) -> None:
        """Store their files with the run, once."""
        paths, self._paths = self._paths, {}
        for name, path in paths.items():
            if os.path.isdir(path):
                run.upload_folder(os.path.basename(path) if os.path.isabs(name) else name, path)

    def store_early(self, run: RunFiles, name: str) -> None:
        """Store what lies in them under the name that it will have among the run's files: somebody needs it before the run ends."""
        folder, _, inner = os.path.normpath(name).replace(os.sep, "/").partition("/")
        place = os.path.join(self._paths.get(folder, ""), inner)
        if folder not in self._paths or not inner:
            return
        if os.path.isfile(place):
            run.upload_file(name, place)
        elif os.path.isdir(place):
            run.upload_folder(name, place)


class Console:
    """Copies what a `with` block prints into the run's log."""

    def __init__(self) -> None:
        self._kept: List[str] = []
        self._streams: Optional[List[TextIO]] = None

    def start(self) -> None:
        """Begin to copy."""
        if self._streams is None:
            self._streams = [sys.stdout, sys.stderr]
            sys.stdout, sys.stderr = (_Tee(stream, self._kept) for stream in self._streams)

    def stop(self, run: Run) -> None:
        """Stop copying and store the log as `logs/user_log.txt`."""
        if self._streams is None:
            return
        sys.stdout, sys.stderr = self._streams
        self._streams = None
        from io import BytesIO

        from azureml.core.keyvault import hide_known_secrets

        run._store_file("logs/user_log.txt", BytesIO(hide_known_secrets("".join(self._kept)).encode("utf-8", errors="replace")))

    def __deepcopy__(self, memo: Any) -> Console:
        return self


class _Tee:
    def __init__(self, stream: TextIO, kept: List[str]) -> None:
        self._stream = stream
        self._kept = kept

    def write(self, text: str) -> int:
        self._kept.append(text)
        return self._stream.write(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
