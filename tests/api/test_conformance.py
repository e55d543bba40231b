"""Nothing that is promised may be missing or different from SDK v1."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest


def _load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("api_conformance", Path(__file__).with_name("conformance.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


conformance = _load()


@pytest.mark.parametrize(("module", "name"), list(conformance.promised()), ids=lambda value: value)
def test_promised_name_conforms_to_v1(module: str, name: str) -> None:
    finding = conformance.examine(module, name)
    assert finding.conforms, conformance.table([finding])


def test_every_excuse_has_a_reason_and_a_use() -> None:
    excused = {member for module, name in conformance.recorded() for member in conformance.examine(module, name).excused}
    for (owner, member), reason in conformance.EXCUSED.items():
        assert reason
        assert member in excused or owner.rpartition(".")[2] in excused
