"""A run's files: what it stored, and how to get it back."""

from __future__ import annotations

import io
import os
from typing import Any, Dict, Iterator, List, Optional, Tuple

from azureml.core._errors import v1_errors
from azureml.core._run_record import RunRecord
from azureml.data._copying import name_clash
from azureml.data._paths import clean, join_inside

# Every run has these folders, so no file can have their names.
_FOLDERS = ("outputs", "logs")
_LOG_FOLDERS = ("azureml-logs/", "user_logs/", "system_logs/", "logs/")


class RunFiles(RunRecord):
    """The part of a run that stores and gives files."""

    def _store_file(self, name: str, path_or_stream: Any) -> None:
        from penstock.model.errors import Refused

        with v1_errors():
            try:
                self._client.put_file(self._run_id, name, path_or_stream)
            except Refused:
                raise name_clash(name) from None

    def upload_file(self, name: str, path_or_stream: Any, datastore_name: Optional[str] = None) -> None:
        """Store a file with the run; one of the same name is replaced.

        Args:
            name: Its name in the run, such as 'outputs/model.pkl'.
            path_or_stream: A path, or a stream of bytes.
            datastore_name: Accepted; a run's files lie with the run.

        Raises:
            UserErrorException: The file does not exist, it is neither a path nor a stream, or a folder of the run has its name.
        """
        self._store_file(_artifact_name(name), _source(name, path_or_stream))

    def upload_files(
        self,
        names: List[str],
        paths: List[str],
        return_artifacts: bool = False,
        timeout_seconds: Optional[int] = None,
        datastore_name: Optional[str] = None,
    ) -> Any:
        """Store several files with the run.

        Args:
            names: Their names in the run.
            paths: Where they are; as many as names.
            return_artifacts: Return name -> its address.

        Raises:
            TypeError: Not as many names as paths.
        """
        if len(names) != len(paths):
            raise TypeError(f"upload_files got {len(names)} names and {len(paths)} paths: each name needs its path.")
        for name, path in zip(names, paths):
            self.upload_file(name, path)
        if return_artifacts:
            return {name: f"aml://artifactId/ExperimentRun/dcid.{self._run_id}/{clean(name)}" for name in names}
        return None

    def upload_folder(self, name: str, path: str, datastore_name: Optional[str] = None) -> None:
        """Store a folder with all below it.

        Args:
            name: The folder's name in the run.
            path: Where it is.

        Raises:
            UserErrorException: There is no such folder.
        """
        from azureml.exceptions import UserErrorException

        if not os.path.isdir(path):
            raise UserErrorException(f"The folder {path} can't be stored as '{name}': it is not a folder.")
        for inner, file in files_below(path):
            self._store_file(clean(f"{name}/{inner}"), file)

    def get_file_names(self) -> List[str]:
        """Return the names of all files of the run: outputs, logs and what was uploaded."""
        with v1_errors():
            return [item["name"] for item in self._client.list_files(self._run_id)]

    def download_file(self, name: str, output_file_path: Optional[str] = None, _validate_checksum: bool = False) -> None:
        """Fetch one file.

        Args:
            name: Its name in the run.
            output_file_path: Where to; a folder gets the file inside. The current folder when None.

        Raises:
            UserErrorException: The run has no such file.
        """
        from azureml.exceptions import UserErrorException

        target = os.fspath(output_file_path) if output_file_path is not None else "."
        if os.path.isdir(target) or target.endswith(os.sep):
            target = os.path.join(target, os.path.basename(name))
        names = self.get_file_names()
        if name not in names:
            raise UserErrorException(f"The run {self._run_id} has no file '{name}'. It has: {', '.join(sorted(names)) or 'none'}.")
        self._fetch(name, target)

    def _fetch(self, name: str, target: str) -> None:
        os.makedirs(os.path.dirname(os.path.abspath(target)), exist_ok=True)
        with v1_errors():
            self._client.download_file(self._run_id, name, target)

    def download_files(
        self,
        prefix: Optional[str] = None,
        output_directory: Optional[str] = None,
        output_paths: Optional[List[str]] = None,
        batch_size: int = 100,
        append_prefix: bool = True,
        timeout_seconds: Optional[int] = None,
    ) -> None:
        """Fetch the files of a folder, or all.

        Args:
            prefix: The folder; all files when None.
            output_directory: Where to; the current folder when None.
            output_paths: A place for each file, in the order of their names, instead of a folder.
            append_prefix: Keep the prefix in the places below the folder.

        Raises:
            UserErrorException: There are not as many `output_paths` as files.
        """
        names = [name for name in self.get_file_names() if _is_below(name, prefix)]
        for name, target in self._targets(names, prefix, output_directory, output_paths, append_prefix):
            self._fetch(name, target)

    def _targets(
        self, names: List[str], prefix: Optional[str], folder: Optional[str], paths: Optional[List[str]], append_prefix: bool
    ) -> List[Tuple[str, str]]:
        from azureml.exceptions import UserErrorException

        if paths:
            if len(paths) != len(names):
                raise UserErrorException(f"output_paths holds {len(paths)} paths for {len(names)} files: {', '.join(names)}.")
            return list(zip(names, [os.path.join(folder or ".", path) for path in paths]))
        cut = 0 if append_prefix or not prefix else len(prefix.rstrip("/")) + 1
        return [(name, join_inside(os.fspath(folder or "."), name[cut:] or os.path.basename(name))) for name in names]

    def _log_names(self) -> List[str]:
        return [name for name in self.get_file_names() if name.startswith(_LOG_FOLDERS)]

    def _log_urls(self) -> Dict[str, str]:
        return {name: self._file_url(name) for name in self._log_names()}

    def _file_url(self, name: str) -> str:
        """Where the file lies on this machine, as far as that is known here; else a link that names it."""
        folder = self._record.get("folder")
        inner = "user_logs/std_log.txt" if name == "azureml-logs/70_driver_log.txt" else name
        for place in ("files", ""):
            path = os.path.join(folder, place, inner) if folder else ""
            if path and os.path.isfile(path):
                from urllib.parse import quote

                return "file://" + quote(path)
        return f"{self.portal_url}/runs/{self._run_id}/files/{name}"

    def _read_text(self, name: str, offset: int = 0) -> str:
        with v1_errors():
            content: bytes = self._client.read_file(self._run_id, name, offset=offset)
        return content.decode("utf-8", errors="replace")

    def get_all_logs(self, destination: Optional[str] = None) -> List[str]:
        """Fetch all logs and return where they are.

        Args:
            destination: The folder that gets them; `assets/<run id>` when None.

        Raises:
            UserErrorException: `destination` is a file.
        """
        from azureml.exceptions import UserErrorException

        folder = os.path.abspath(destination or os.path.join("assets", self._run_id))
        if os.path.isfile(folder):
            raise UserErrorException(f"Logs go to a folder, and {folder} is a file. Name another destination.")
        places = []
        for name in self._log_names():
            places.append(join_inside(folder, name))
            self._fetch(name, places[-1])
        return places


def _artifact_name(name: str) -> str:
    from azureml.exceptions import UserErrorException

    cleaned = clean(name)
    if not cleaned:
        raise UserErrorException(f"A file of a run needs a name, not {name!r}.")
    if cleaned in _FOLDERS:
        raise UserErrorException(f"'{cleaned}' is a folder of every run. Name the file in it, such as '{cleaned}/model.pkl'.")
    return cleaned


def _source(name: str, path_or_stream: Any) -> Any:
    from azureml.exceptions import UserErrorException

    if isinstance(path_or_stream, io.TextIOBase):
        raise UserErrorException(f"The file '{name}' must be a stream of bytes, not of text: open it with mode 'rb', or use io.BytesIO.")
    if hasattr(path_or_stream, "read"):
        return path_or_stream
    if not isinstance(path_or_stream, (str, os.PathLike)):
        raise UserErrorException(f"The file '{name}' must be a path or a stream of bytes, not a {type(path_or_stream).__name__}.")
    path = os.fspath(path_or_stream)
    if not os.path.isfile(path):
        kind = "is a folder: use upload_folder" if os.path.isdir(path) else "does not exist"
        raise UserErrorException(f"The file '{name}' can't be stored: {os.path.abspath(path)} {kind}.")
    return path


def _is_below(name: str, prefix: Optional[str]) -> bool:
    folder = (prefix or "").rstrip("/")
    return not folder or name == folder or name.startswith(folder + "/")


def files_below(folder: str) -> Iterator[Tuple[str, str]]:
    """Give (path inside with forward slashes, path) of every file in and below a folder, in order."""
    for here, folders, files in os.walk(folder):
        folders.sort()
        for file in sorted(files):
            path = os.path.join(here, file)
            yield os.path.relpath(path, folder).replace(os.sep, "/"), path
