"""Home folders that the tests of a module share."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@contextlib.contextmanager
def own_home() -> Iterator[Path]:
    """Give a home folder of its own to this process and those that it starts; whatever runs there ends with it."""
    from tests.conftest import end_processes

    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory(prefix="ps", ignore_cleanup_errors=True) as folder:
        patch.setenv("PENSTOCK_HOME", folder)
        for name in ("AZUREML_RUN_ID", "PENSTOCK_RUN_FOLDER"):
            patch.delenv(name, raising=False)
        try:
            yield Path(folder)
        finally:
            end_processes(Path(folder))
