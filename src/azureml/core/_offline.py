"""The run that `Run.get_context()` gives outside a run: it prints what would have been stored."""

from __future__ import annotations

from typing import Any, Dict, List, Optional


class _OfflineRun:
    """Lets a step's script run by hand. It has no experiment, parent, metrics or files; scripts probe for these absences."""

    def __init__(self, parent_id: Optional[str] = None, name: Optional[str] = None) -> None:
        from penstock.model.ids import new_id

        self._run_id = f"{parent_id}.{name or new_id()}" if parent_id else f"OfflineRun_{new_id()}"

    @property
    def id(self) -> str:
        """The run's id; it begins with 'OfflineRun'."""
        return self._run_id

    def __repr__(self) -> str:
        return f"OfflineRun({self._run_id})"

    def __enter__(self) -> _OfflineRun:
        print(f"[START] Run {self._run_id} context")
        return self

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        print(f"[STOP] Run {self._run_id} context")

    def _told(self, kind: str, name: str, value: Any) -> None:
        print(f"Attempted to log {kind} metric {name}:\n{value}")

    def log(self, name: str, value: Any, description: str = "", step: Optional[int] = None) -> None:
        """Print one value."""
        self._told("scalar", name, value)

    def log_list(self, name: str, value: Any, description: str = "") -> None:
        """Print several values."""
        self._told("list", name, value)

    def log_row(self, name: str, description: Optional[str] = None, **kwargs: Any) -> None:
        """Print one row."""
        self._told("row", name, kwargs)

    def log_table(self, name: str, value: Any, description: str = "") -> None:
        """Print a table."""
        self._told("table", name, value)

    def log_image(self, name: str, path: Optional[str] = None, plot: Any = None, description: str = "") -> None:
        """Print where an image is."""
        self._told("image", name, path if path is not None else plot)

    def log_residuals(self, name: str, value: Any, description: str = "") -> None:
        """Print residuals."""
        self._told("residuals", name, value)

    def log_predictions(self, name: str, value: Any, description: str = "") -> None:
        """Print predictions."""
        self._told("predictions", name, value)

    def log_accuracy_table(self, name: str, value: Any, description: str = "") -> None:
        """Print an accuracy table."""
        self._told("accuracy_table", name, value)

    def log_confusion_matrix(self, name: str, value: Any, description: str = "") -> None:
        """Print a confusion matrix."""
        self._told("confusion_matrix", name, value)

    def tag(self, key: str, value: Optional[str] = None) -> None:
        """Print a tag."""
        print(f"Attempted to tag the run with {key}={value}")

    def set_tags(self, tags: Dict[str, Any]) -> None:
        """Print tags."""
        print(f"Attempted to set tags {tags}")

    def add_properties(self, properties: Dict[str, Any]) -> None:
        """Print properties."""
        print(f"Attempted to add properties {properties}")

    def upload_file(self, name: str, path_or_stream: Any, datastore_name: Optional[str] = None) -> None:
        """Print what would have been stored."""
        print(f"Attempted to upload {path_or_stream} as {name}")

    def upload_files(
        self,
        names: List[str],
        paths: List[str],
        return_artifacts: bool = False,
        timeout_seconds: Optional[int] = None,
        datastore_name: Optional[str] = None,
    ) -> None:
        """Print what would have been stored."""
        print(f"Attempted to upload {paths} as {names}")

    def upload_folder(self, name: str, path: str, datastore_name: Optional[str] = None) -> None:
        """Print what would have been stored."""
        print(f"Attempted to upload the folder {path} as {name}")

    def flush(self, timeout_seconds: int = 300) -> None:
        """Print that there is nothing to wait for."""
        print("Attempted to flush metrics")

    def complete(self, _set_status: bool = True) -> None:
        """Do nothing."""

    def cancel(self) -> None:
        """Do nothing."""

    def fail(self, error_details: Any = None, error_code: Optional[str] = None, _set_status: bool = True) -> None:
        """Print the error."""
        print(f"The run failed with error code {error_code or 'UserError'}: {error_details}")

    def child_run(self, name: Optional[str] = None, run_id: Optional[str] = None, outputs: Any = None) -> _OfflineRun:
        """Return an offline run below this one."""
        return _OfflineRun(self._run_id, name or run_id)
