"""The import: quick, lazy, and unwilling to share its namespace."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import azureml.core
from azureml.core import _genuine

SIGNATURES = Path(__file__).parents[2] / "api" / "signatures"
HEAVY = {"asyncio", "http.client", "urllib.request", "email", "subprocess", "concurrent.futures", "tempfile", "shutil", "yaml"}


def test_version_is_that_of_v1() -> None:
    assert azureml.core.VERSION == azureml.core.__version__ == "1.61.0"


@pytest.mark.parametrize("package", ["azureml.core", "azureml.data"])
def test_every_recorded_name_can_be_imported(package: str) -> None:
    names = json.loads((SIGNATURES / f"{package}.json").read_text())["modules"][package]
    module = __import__(package, fromlist=list(names))
    assert [name for name in names if not hasattr(module, name)] == []
    assert set(names) <= set(dir(module))


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="Wrokspace"):
        _ = azureml.core.Wrokspace


def test_import_loads_nothing_heavy() -> None:
    script = "import sys, azureml.core, azureml.core.run, azureml.core.datastore; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    assert HEAVY & set(loaded) == set()


def test_genuine_distribution_is_refused(tmp_path: Path) -> None:
    site = tmp_path / "site-packages"
    (site / "azureml" / "_base_sdk_common").mkdir(parents=True)
    (site / "azureml_core-1.61.0.post4.dist-info").mkdir()
    with pytest.raises(ImportError) as caught:
        _genuine.refuse([str(tmp_path / "elsewhere"), str(site / "azureml")])
    for words in ("azureml-core 1.61.0.post4", str(site / "azureml"), "pip uninstall azureml-core", "virtual environment"):
        assert words in str(caught.value)


def test_own_namespace_is_accepted(tmp_path: Path) -> None:
    (tmp_path / "azureml" / "core").mkdir(parents=True)
    _genuine.refuse([str(tmp_path / "azureml")])
