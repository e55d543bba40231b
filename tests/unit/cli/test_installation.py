"""Penstock beside the genuine azureml-core, in either order of installation, and after it was removed again."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from penstock.cli.installation import check_installation
from penstock.model.errors import Refused

SOURCES = Path(__file__).parents[3] / "src" / "azureml"


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder with the files of ours that azureml-core has too."""
    for name in ("core/__init__.py", "core/_genuine.py", "pipeline/core/__init__.py", "pipeline/steps/__init__.py"):
        (tmp_path / "azureml" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(SOURCES / name, tmp_path / "azureml" / name)
    return tmp_path


def refusal(site: Path, *search_path: str) -> str:
    with pytest.raises(Refused) as caught:
        check_installation(site, search_path)
    assert "in Penstock's folder: pip install --force-reinstall --no-deps ." in caught.value.message
    return caught.value.message


def test_our_own_installation_is_whole(site: Path) -> None:
    check_installation()
    check_installation(site, ["", "/nowhere", str(site)])


def test_azureml_core_over_or_under_ours(site: Path) -> None:
    (site / "azureml" / "_base_sdk_common").mkdir()
    (site / "azureml_core-1.61.0.dist-info").mkdir()
    assert f"azureml-core 1.61.0 in {site / 'azureml'}" in refusal(site)
    (site / "azureml" / "core" / "__init__.py").write_text("# another")
    assert f"azureml-core 1.61.0 in {site / 'azureml'}" in refusal(site)


def test_azureml_core_elsewhere_on_the_path(site: Path, tmp_path: Path) -> None:
    (tmp_path / "other" / "azureml" / "_base_sdk_common").mkdir(parents=True)
    assert f"azureml-core in {tmp_path / 'other' / 'azureml'}" in refusal(site, str(tmp_path / "other"))


def test_files_overwritten_or_gone_after_azureml_core_was_removed(site: Path) -> None:
    (site / "azureml" / "core" / "__init__.py").unlink()
    (site / "azureml" / "pipeline" / "core" / "__init__.py").write_text("# another")
    message = refusal(site)
    assert f"{site / 'azureml' / 'core' / '__init__.py'} is gone" in message
    assert f"{site / 'azureml' / 'pipeline' / 'core' / '__init__.py'} is not Penstock's" in message
    shutil.rmtree(site / "azureml")
    assert "is gone" in refusal(site)
