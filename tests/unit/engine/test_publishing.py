"""A written folder comes to its place whole, whatever was there, and however often the move is interrupted."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.compile.manifests import UNFINISHED, read_manifest
from penstock.engine import publishing
from penstock.model.errors import NotFound

NAMES = st.sampled_from(["a.txt", "b.txt", "deep/a.txt", "deep/er/c.txt", "z"])


def write(folder: Path, names: set[str], text: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def tree(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


class Killed(BaseException):
    pass


@settings(max_examples=60, deadline=None)
@given(new=st.sets(NAMES), old=st.sets(NAMES), killed_after=st.integers(0, 6), is_whole=st.booleans())
def test_a_move_that_is_done_again_ends_as_one_that_was_not_interrupted(new: set[str], old: set[str], killed_after: int, is_whole: bool):
    with tempfile.TemporaryDirectory() as top, pytest.MonkeyPatch.context() as patch:
        source, target = Path(top, "written"), Path(top, "place", "deep")
        write(source, new, "new")
        if old:
            write(target, old, "old")
        entries = read_manifest(str(source))
        left = [killed_after]

        def replace(first: str, second: str) -> None:
            if left[0] == 0:
                raise Killed
            left[0] -= 1
            os.rename(first, second)

        patch.setattr(publishing.os, "replace", replace)
        try:
            publishing.move(str(source), str(target), entries, is_whole)
        except Killed:
            left[0] = -1
            publishing.move(str(source), str(target), entries, is_whole)
        left[0] = -1
        assert not publishing.move(str(source), str(target), entries, is_whole), "nothing moves after a crash that came later"
        assert tree(target) == {**dict.fromkeys(old, "old"), **dict.fromkeys(new, "new")}


def test_a_free_place_is_taken_at_once(tmp_path: Path) -> None:
    write(tmp_path / "written", {"a.txt"}, "a")
    inode = (tmp_path / "written").stat().st_ino
    publishing.move(str(tmp_path / "written"), str(tmp_path / "place"), read_manifest(str(tmp_path / "written")))
    assert (tmp_path / "place").stat().st_ino == inode


def test_links_come_as_what_they_lead_to(tmp_path: Path) -> None:
    written = tmp_path / "written"
    write(written, {"a.txt", "deep/b.txt"}, "text")
    (written / "link.txt").symlink_to(written / "a.txt")
    (written / "folder").symlink_to(written / "deep")
    publishing.move(str(written), str(tmp_path / "place"), read_manifest(str(written), within=True))
    assert tree(tmp_path / "place") == dict.fromkeys(["a.txt", "deep/b.txt", "link.txt", "folder/b.txt"], "text")
    assert not [path for path in (tmp_path / "place").rglob("*") if path.is_symlink() or path.name.startswith(UNFINISHED)]


def test_a_file_that_is_nowhere_is_told(tmp_path: Path) -> None:
    write(tmp_path / "written", {"a.txt"}, "a")
    entries = read_manifest(str(tmp_path / "written"))
    (tmp_path / "written" / "a.txt").unlink()
    write(tmp_path / "place", {"b.txt"}, "b")
    with pytest.raises(NotFound, match=r"a\.txt is gone"):
        publishing.move(str(tmp_path / "written"), str(tmp_path / "place"), entries)


def test_words_of_a_torn_line_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / publishing.LINKS
    path.write_text('{"a": {"id": "1"}}\n{"b": {"id": "2"}}\n{"a": {"id": "3"}}\n{"b": {"i')
    assert publishing._read_links(str(path)) == {"a": "3", "b": "2"}
