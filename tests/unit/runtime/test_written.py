"""Inputs that are written before the script begins."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from penstock.runtime.written import VARIABLE, write_inputs


def test_outside_a_run_it_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(VARIABLE, json.dumps([{"dataset": {}, "target": str(tmp_path)}]))
    monkeypatch.delenv("AZUREML_RUN_ID", raising=False)
    with pytest.raises(RuntimeError, match="outside a run"):
        write_inputs()
