"""Debug logging into a file, for as long as a block lasts."""

from __future__ import annotations

import logging
from typing import Any, List, Optional

_NAMESPACES = ("azureml", "penstock")


class diagnostic_log:  # noqa: N801  v1's name
    """Writes what the SDK logs to a file while the `with` block runs.

    Args:
        log_path: The file; `azureml_diagnostic.log` in the current folder when None.
        namespaces: Names of loggers; those of the SDK when None.
        context_name: A name that each line carries.
    """

    def __init__(self, log_path: Optional[str] = None, namespaces: Optional[List[str]] = None, context_name: Optional[str] = None) -> None:
        self._path = log_path or "azureml_diagnostic.log"
        self._namespaces = list(namespaces or _NAMESPACES)
        self._context = context_name or "azureml"
        self._handler: Optional[logging.Handler] = None
        self._levels: List[int] = []

    def start_capture(self) -> None:
        """Begin to write."""
        if self._handler is not None:
            return
        self._handler = logging.FileHandler(self._path, encoding="utf-8")
        self._handler.setFormatter(logging.Formatter(f"%(asctime)s|{self._context}|%(name)s|%(levelname)s|%(message)s"))
        self._levels = [logging.getLogger(name).level for name in self._namespaces]
        for name in self._namespaces:
            logging.getLogger(name).addHandler(self._handler)
            logging.getLogger(name).setLevel(logging.DEBUG)

    def stop_capture(self) -> None:
        """Stop writing and close the file."""
        if self._handler is None:
            return
        for name, level in zip(self._namespaces, self._levels):
            logging.getLogger(name).removeHandler(self._handler)
            logging.getLogger(name).setLevel(level)
        self._handler.close()
        self._handler = None

    def __enter__(self) -> diagnostic_log:
        self.start_capture()
        return self

    def __exit__(self, *_: Any) -> None:
        self.stop_capture()
