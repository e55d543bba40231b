"""A run's metrics: writing them with v1's conversions, reading them in v1's shapes."""

from __future__ import annotations

import json
import logging
import os
import sys
from typing import Any, Dict, Iterable, List, Optional, Tuple, Union

from azureml.core._errors import v1_errors
from azureml.core._run_files import RunFiles
from penstock.model import metrics
from penstock.runtime.metrics import now

_LOGGER = logging.getLogger("penstock")
_LARGEST_INTEGER_BYTES = 64
_MOST_NAMES = 10_000  # whose kind is remembered: a clash is found when it is logged, and the memory stays flat
_IMAGE_STARTS = (
    b"\x89PNG",
    b"\xff\xd8\xff",
    b"GIF8",
    b"BM",
    b"II*\x00",
    b"MM\x00*",
    b"P4",
    b"P5",
    b"P6",
    b"\x01\xda",
    b"\x00\x00\x01\x00",
)


class MetricArtifact:
    """A metric that is a file: `name` is its path in the run, `content` its bytes."""

    def __init__(self, name: str, content: bytes) -> None:
        self.name = name
        self.content = content


class RunMetrics(RunFiles):
    """The part of a run that logs and reads metrics. Images and JSON metrics are files of the run."""

    def _write_metric(self, record: Dict[str, Any]) -> None:
        """Store one record. What goes wrong here is logged and never stops a training."""
        try:
            self._client.log_metrics(self._run_id, [record])
        except Exception as error:
            _LOGGER.warning("The metric '%s' of run %s was not stored: %s", record["name"][:80], self._run_id, error)

    def _write(self, name: str, kind: str, value: Any, step: Optional[int] = None) -> None:
        name = str(name)
        if self._fits(name, kind):
            self._write_metric(metrics.record(name, kind, value, now(), step))

    def _fits(self, name: str, kind: str) -> bool:
        """Tell whether a name has held nothing of another kind in this process; such a value would not be read, and is not stored."""
        families: Dict[str, str] = self.__dict__.setdefault("_families", {})
        known, family = families.get(name), metrics.family(kind)
        if known is None:
            if len(families) < _MOST_NAMES:
                families[name] = family
        elif known != family:
            _LOGGER.warning("The metric '%s' holds a %s already: this %s is not stored. Give it a name of its own.", name, known, kind)
            return False
        return True

    def log(self, name: str, value: Any, description: str = "", step: Optional[int] = None) -> None:
        """Log one value. Logged again under the same name, it makes a list.

        Raises:
            UserErrorException: The value is a list, range or generator: `log_list` takes these.
        """
        if isinstance(value, (list, range)) or type(value).__name__ == "generator":
            from azureml.exceptions import UserErrorException

            raise UserErrorException(f"The metric '{name}' is a {type(value).__name__}: use log_list('{name}', ...) for several values.")
        self._write(name, metrics.SCALAR, scalar(name, value), None if step is None else _step(name, step))

    def log_list(self, name: str, value: Iterable[Any], description: str = "") -> None:
        """Log several values at once. An empty list leaves no trace.

        Raises:
            AzureMLException: An element is a list itself, or the value is a single one.
        """
        if not hasattr(value, "__iter__") or getattr(value, "shape", None) == ():
            raise _refused(f"The list '{name}' is a {type(value).__name__}: use log('{name}', ...) for a single value.")
        values = scalars(name, value)
        if values:
            self._write(name, metrics.LIST, values)

    def log_row(self, name: str, description: Optional[str] = None, **kwargs: Any) -> None:
        """Log one row of a table; the keywords are its columns.

        Raises:
            AzureMLException: A value is a list: `log_table` takes these.
        """
        for column, value in kwargs.items():
            if isinstance(value, (list, tuple)):
                raise _refused(f"Column '{column}' of the row '{name}' is a {type(value).__name__}: use log_table for several rows.")
        self._write(name, metrics.ROW, {column: scalar(f"{name}.{column}", value) for column, value in kwargs.items()})

    def log_table(self, name: str, value: Dict[str, Any], description: str = "") -> None:
        """Log rows of a table: column -> values, or column -> value for a single row.

        Raises:
            AzureMLException: Two columns have different lengths, or the value is no dictionary.
        """
        if not isinstance(value, dict):
            raise _refused(f"The table '{name}' must be a dictionary of columns, not a {type(value).__name__}.")
        columns = {str(column): _column(f"{name}.{column}", values) for column, values in value.items()}
        lengths = {column: len(values) if isinstance(values, list) else 1 for column, values in columns.items()}
        for column, length in lengths.items():
            first = next(iter(lengths))
            if length != lengths[first]:
                raise _refused(f"Columns '{first}' and '{column}' of the table '{name}' have {lengths[first]} and {length} values.")
        if any(lengths.values()):
            self._write(name, metrics.TABLE, columns)

    def log_image(self, name: str, path: Optional[str] = None, plot: Any = None, description: str = "") -> None:
        """Store an image with the run: the file at `path`, or what `plot` saves of itself (`pyplot`, or a figure).

        Raises:
            AzureMLException: Not exactly one of `path` and `plot` was given, or the file is no image.
        """
        if (path is None) == (plot is None):
            raise _refused(f"The image '{name}' needs either path or plot, and not both.")
        if path is not None and not isinstance(path, (str, os.PathLike)):
            raise _refused(f"The image '{name}' has a {type(path).__name__} as its path: give a figure as plot=..., a file's name as path.")
        if plot is not None and not hasattr(plot, "savefig"):
            raise _refused(f"The image '{name}' has a {type(plot).__name__} as its plot: give pyplot, or a figure that has savefig.")
        if path is not None:
            self._log_image_file(name, os.fspath(path))
        else:
            self._log_plot(name, plot)

    def _log_image_file(self, name: str, path: str) -> None:
        if not os.path.isfile(path):
            raise _refused(f"The image '{name}' can't be logged: there is no file {os.path.abspath(path)}.")
        if not is_image(path):
            raise _refused(f"The image '{name}' can't be logged: {path} is no image file.")
        self._log_artifact(name, metrics.IMAGE, os.path.basename(path) if os.path.isabs(path) else path, path)

    def _log_plot(self, name: str, plot: Any) -> None:
        import tempfile
        import time

        plotted: Dict[str, int] = self.__dict__.setdefault("_plotted", {})
        plotted[name] = max(int(time.time()), plotted.get(name, 0) + 1)  # two plots within a second are two files
        file_name = f"{name}_{plotted[name]}.png"
        with tempfile.TemporaryDirectory() as folder:
            saved = os.path.join(folder, "plot.png")
            plot.savefig(saved)
            self._log_artifact(name, metrics.IMAGE, file_name, saved)

    def _log_artifact(self, name: str, kind: str, artifact: str, path_or_stream: Any) -> None:
        from azureml.data._paths import clean

        artifact = clean(artifact)
        try:
            self._store_file(artifact, path_or_stream)
        except Exception as error:
            _LOGGER.warning("The metric '%s' of run %s was not stored: %s", name, self._run_id, error)
            return
        self._write(name, kind, f"aml://artifactId/ExperimentRun/dcid.{self._run_id}/{artifact}")

    def _log_json(self, name: str, value: Union[str, Dict[str, Any]]) -> None:
        from io import BytesIO

        from azureml.exceptions import UserErrorException

        try:
            document = json.loads(value) if isinstance(value, str) else value
            if not isinstance(document, dict):
                raise UserErrorException(f"The metric '{name}' must be a dictionary or JSON text of one, not a {type(document).__name__}.")
            text = json.dumps(document, default=_plain)
        except (TypeError, ValueError) as error:
            raise UserErrorException(f"The metric '{name}' is not valid JSON: {error}.") from error
        self._log_artifact(name, metrics.JSON, name, BytesIO(text.encode("utf-8")))

    def log_confusion_matrix(self, name: str, value: Union[str, Dict[str, Any]], description: str = "") -> None:
        """Store a confusion matrix: a dictionary or JSON with `schema_type`, `schema_version` and `data`."""
        self._log_json(name, value)

    def log_accuracy_table(self, name: str, value: Union[str, Dict[str, Any]], description: str = "") -> None:
        """Store an accuracy table: a dictionary or JSON with `schema_type`, `schema_version` and `data`."""
        self._log_json(name, value)

    def log_residuals(self, name: str, value: Union[str, Dict[str, Any]], description: str = "") -> None:
        """Store residuals: a dictionary or JSON with `schema_type`, `schema_version` and `data`."""
        self._log_json(name, value)

    def log_predictions(self, name: str, value: Union[str, Dict[str, Any]], description: str = "") -> None:
        """Store predictions: a dictionary or JSON with `schema_type`, `schema_version` and `data`."""
        self._log_json(name, value)

    def flush(self, timeout_seconds: int = 300) -> None:
        """Do nothing: what was logged is stored already."""

    def get_metrics(
        self, name: Optional[str] = None, recursive: bool = False, run_type: Optional[str] = None, populate: bool = False
    ) -> Dict[str, Any]:
        """Return what was logged: one value as it is, several as a list, a table as a dictionary of columns.

        Args:
            name: Only this metric.
            recursive: Return run id -> metrics for this run and all below it. Runs without metrics are left out.
            run_type: With `recursive`: only runs of this type.
            populate: Give images and JSON metrics as objects that hold their bytes, not as addresses.
        """
        with v1_errors():
            found: Dict[str, Dict[str, Any]] = self._client.list_metric_values(self._run_id, recursive=recursive, name=name)
        wanted = self._ids_of_type(run_type) if recursive and run_type else found
        values = {run_id: shaped["values"] for run_id, shaped in found.items() if run_id in wanted}
        for run_id in values if populate else ():
            for artifact in found[run_id]["artifacts"]:
                values[run_id][artifact] = self._populated(run_id, str(values[run_id][artifact]))
        return values if recursive else values.get(self._run_id, {})

    def _ids_of_type(self, run_type: str) -> List[str]:
        with v1_errors():
            below = self._client.list_children(self._run_id, recursive=True, type=run_type)
        return [record["id"] for record in below] + ([self._run_id] if self.type == run_type else [])

    def _populated(self, run_id: str, address: str) -> MetricArtifact:
        path = address.partition("/dcid.")[2].partition("/")[2] or address  # a reused step's files name the run that made them
        with v1_errors():
            return MetricArtifact(path, self._client.read_file(run_id, path))


def _refused(message: str) -> Exception:
    from azureml.exceptions import AzureMLException

    return AzureMLException(message)


def scalar(name: str, value: Any) -> Any:
    """Return what is stored for one value: text, number, truth value or None; anything unknown as its text."""
    found, plain = _as_scalar(name, value)
    if not found:
        found, plain = _as_scalar(name, _unwrapped(value))
    if not found:
        _LOGGER.warning("The metric '%s' is a %s: its text is stored.", name, type(value).__name__)
        return _text(value)
    return plain


def _as_scalar(name: str, value: Any) -> Tuple[bool, Any]:
    if value is None or isinstance(value, bool):
        return True, value
    if isinstance(value, str):
        return True, str.__str__(value)
    if isinstance(value, int):
        if sys.getsizeof(value) > _LARGEST_INTEGER_BYTES:
            raise _refused(f"The metric '{name}' is too large an integer to be stored: log it as text.")
        return True, int.__int__(value)
    if isinstance(value, float):
        return True, float.__float__(value)
    return False, None


def _unwrapped(value: Any) -> Any:
    """The Python value in a foreign scalar; of numpy's longer numbers the nearest float. What fails at that stays as it is."""
    try:
        plain = _plain(_plain(value))  # a tensor may hold a scalar of numpy
        return float(plain) if type(plain).__name__ in _LONG_FLOATS else plain
    except Exception:  # a tensor on a device that is gone, say: logging never stops a training
        return value


_LONG_FLOATS = ("longdouble", "float96", "float128")


def _text(value: Any) -> str:
    try:
        return repr(value)
    except Exception:
        return f"<{type(value).__name__}>"


def _step(name: str, step: Any) -> Optional[int]:
    try:
        return int(step)
    except (TypeError, ValueError, OverflowError):
        _LOGGER.warning("The step %s of the metric '%s' is no whole number: the value is stored without it.", _text(step), name)
        return None


def _plain(value: Any) -> Any:
    """The Python value in a scalar or array of numpy, torch or TensorFlow; other objects come back as they are."""
    if not hasattr(value, "item") and hasattr(value, "numpy"):
        value = value.numpy()
    if hasattr(value, "item") and tuple(getattr(value, "shape", (1,))) == ():
        return value.item()
    if hasattr(value, "tolist"):
        return value.tolist()
    return value


def scalars(name: str, values: Iterable[Any]) -> List[Any]:
    """Return what is stored for a list of values."""
    stored = []
    for value in values:
        if isinstance(value, (list, tuple, dict, set)) or tuple(getattr(value, "shape", ())) != ():
            raise _refused(f"The list '{name}' holds a {type(value).__name__}: a metric is a flat list of single values.")
        stored.append(scalar(name, value))
    return stored


def _column(name: str, values: Any) -> Any:
    if isinstance(values, (list, tuple, range)) or (hasattr(values, "tolist") and tuple(getattr(values, "shape", ())) != ()):
        return scalars(name, values)
    return scalar(name, values)


def is_image(path: str) -> bool:
    """Tell whether a file begins like an image."""
    with open(path, "rb") as file:
        start = file.read(1024)
    return start.startswith(_IMAGE_STARTS) or (start[:4], start[8:12]) == (b"RIFF", b"WEBP") or b"<svg" in start
