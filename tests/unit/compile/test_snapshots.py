import os
from pathlib import Path

import pytest

from penstock.compile.snapshots import take_snapshot
from penstock.model.errors import Invalid, NotFound, TooLarge


def paths(folder: Path) -> list[str]:
    return [entry.path for entry in take_snapshot(str(folder)).files]


def test_amlignore_wins_over_gitignore(tmp_path: Path):
    for name in ("train.py", "data.csv", "notes.md"):
        (tmp_path / name).write_text(name)
    (tmp_path / ".gitignore").write_text("*.csv\n")
    assert paths(tmp_path) == [".gitignore", "notes.md", "train.py"]
    (tmp_path / ".amlignore").write_text("*.md\n")
    assert paths(tmp_path) == [".amlignore", ".gitignore", "data.csv", "train.py"]


def test_ignored_folders_are_not_entered(tmp_path: Path):
    (tmp_path / "big").mkdir()
    (tmp_path / "big" / "file").write_text("x")
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "x.pyc").write_text("x")
    (tmp_path / "env").mkdir()
    (tmp_path / "env" / "pyvenv.cfg").write_text("")
    (tmp_path / ".amlignore").write_text("big/\n")
    assert paths(tmp_path) == [".amlignore"]


def test_one_byte_makes_another_snapshot(tmp_path: Path):
    (tmp_path / "train.py").write_text("a")
    before = take_snapshot(str(tmp_path)).digest
    (tmp_path / "train.py").write_text("b")
    assert take_snapshot(str(tmp_path)).digest != before


def test_limits_name_the_largest_file_and_the_ignore_file(tmp_path: Path):
    (tmp_path / "model.bin").write_bytes(b"0" * 2000)
    with pytest.raises(TooLarge, match=r"model\.bin.*\.amlignore"):
        take_snapshot(str(tmp_path), max_bytes=1000)
    with pytest.raises(TooLarge, match="more than 0 files"):
        take_snapshot(str(tmp_path), max_files=0)


def test_a_missing_folder_is_named(tmp_path: Path):
    with pytest.raises(NotFound, match="nowhere"):
        take_snapshot(str(tmp_path / "nowhere"))


def test_a_name_that_is_not_utf8_is_shown_and_may_be_ignored(tmp_path: Path):
    (tmp_path / "train.py").write_text("")
    (tmp_path / os.fsdecode(b"caf\xe9.csv")).write_text("")
    with pytest.raises(Invalid, match=r"holds the file 'caf\\xe9\.csv', whose name is not UTF-8\. Rename it, or list it in \.amlignore"):
        take_snapshot(str(tmp_path))
    for pattern in (b"*.csv", b"caf\xe9.csv"):
        (tmp_path / ".amlignore").write_bytes(pattern + b"\n")
        assert paths(tmp_path) == [".amlignore", "train.py"]


@pytest.mark.parametrize("name", ["outputs", "logs"])
def test_a_file_with_the_name_of_a_runs_folder_is_refused(tmp_path: Path, name: str):
    (tmp_path / "deeper").mkdir()
    (tmp_path / "deeper" / name).write_text("allowed")
    assert paths(tmp_path) == [f"deeper/{name}"]
    (tmp_path / name).write_text("")
    with pytest.raises(Invalid, match=f"holds a file named '{name}', and every run gets a folder of that name. Rename"):
        take_snapshot(str(tmp_path))
