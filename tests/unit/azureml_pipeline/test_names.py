from __future__ import annotations

import importlib
import subprocess
import sys

import pytest

from azureml.pipeline import core, steps


@pytest.mark.parametrize("module", [core, steps], ids=["core", "steps"])
def test_every_name_can_be_imported(module: object) -> None:
    for name in module.__all__:  # type: ignore[attr-defined]
        assert getattr(module, name).__name__ == name


def test_runs_of_sweeps_refuse_by_name() -> None:
    with pytest.raises(NotImplementedError, match="HyperDriveStepRun is not part of this version"):
        steps.HyperDriveStepRun(None)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(ImportError):
        importlib.import_module("azureml.pipeline.core.nothing")
    assert not hasattr(core, "Nothing")


def test_v1s_exception_is_where_scripts_look() -> None:
    module = importlib.import_module("azureml.pipeline.core._restclients.aeva.models.error_response")
    assert issubclass(module.ErrorResponseException, Exception)


def test_importing_loads_nothing_heavy() -> None:
    code = (
        "import sys\nfrom azureml.pipeline.core import Pipeline, PipelineData, PipelineRun, StepRun\n"
        "from azureml.pipeline.steps import PythonScriptStep\n"
        "print([name for name in ('asyncio', 'http.client', 'urllib.request', 'email', 'subprocess', 'tempfile', 'shutil', 'yaml',"
        " 'requests', 'pathspec', 'concurrent.futures') if name in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
