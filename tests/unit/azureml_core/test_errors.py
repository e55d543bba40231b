"""What becomes of the service's errors: one useful line, and no tracebacks of ours where they help nobody."""

from __future__ import annotations

import traceback
from pathlib import Path

import pytest

from azureml.core import Workspace
from azureml.core._errors import v1_errors
from azureml.exceptions import ServiceException
from penstock.model.errors import PenstockError


def test_a_service_that_can_not_start_is_told_in_one_traceback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("PENSTOCK_HOME", str(tmp_path / "file" / "home"))
    with pytest.raises(ServiceException) as caught:
        Workspace.from_config(str(tmp_path))
    text = "".join(traceback.format_exception(type(caught.value), caught.value, caught.value.__traceback__))
    assert text.count("Traceback") == 1
    assert f"The home folder {tmp_path / 'file' / 'home'} can't be used: Not a directory." in str(caught.value)
    assert caught.value.status_code == 503


def test_our_own_mistakes_keep_their_traceback() -> None:
    error = PenstockError("ours")
    with pytest.raises(ServiceException) as caught, v1_errors():
        raise error
    assert caught.value.__cause__ is error
