from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from azureml.data.data_reference import DataReference
from azureml.pipeline.core import PortDataReference


@pytest.fixture
def produced(workspace: Any, tmp_path: Path) -> PortDataReference:
    root = tmp_path / "store"
    for name in ("azureml/r/out/a.txt", "azureml/r/out/deep/b.txt", "azureml/r/out2/c.txt"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    return PortDataReference(None, "r", DataReference(workspace.store, "out", "azureml/r/out"))


def test_download_keeps_the_path_and_takes_nothing_beside_it(produced: PortDataReference, tmp_path: Path) -> None:
    assert produced.download(str(tmp_path / "here")) == 2
    files = sorted(str(path.relative_to(tmp_path / "here")) for path in (tmp_path / "here").rglob("*") if path.is_file())
    assert files == ["azureml/r/out/a.txt", "azureml/r/out/deep/b.txt"]


def test_download_skips_what_is_there_unless_told(produced: PortDataReference, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = tmp_path / "here" / "azureml" / "r" / "out" / "a.txt"
    place.parent.mkdir(parents=True)
    place.write_text("mine")
    assert produced.download(str(tmp_path / "here")) == 1
    assert place.read_text() == "mine"
    assert "exists" in capsys.readouterr().out
    assert produced.download(str(tmp_path / "here"), overwrite=True, show_progress=True) == 2
    assert place.read_text() == "azureml/r/out/a.txt"
    assert capsys.readouterr().out.count("Downloaded") == 2


def test_a_single_file_and_nothing_at_all(workspace: Any, produced: PortDataReference, tmp_path: Path) -> None:
    one = PortDataReference(None, "r", DataReference(workspace.store, "one", "azureml/r/out/a.txt"))
    assert one.download(str(tmp_path / "one")) == 1
    nothing = PortDataReference(None, "r", DataReference(workspace.store, "no", "azureml/r/no"))
    assert nothing.download(str(tmp_path / "no")) == 0


def test_names_and_places(produced: PortDataReference) -> None:
    assert (produced.name, produced.data_reference_name, produced.datastore_name) == ("out", "out", "workspaceblobstore")
    assert produced._path_on_datastore == produced.path_on_datastore == "azureml/r/out"
    assert str(produced) == "$AZUREML_DATAREFERENCE_out"
    assert (produced.as_input("other").name, produced.as_download().bind_mode) == ("other", "download")
    with pytest.raises(ValueError, match="mode 'direct'"):
        produced.create_input_binding(mode="direct")
