from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.model.errors import Invalid
from penstock.storage.paths import clean_relative, safe_join

HOSTILE = ["", "/", "//", ".", "./.", "..", "../x", "a/..", "a/../../x", "/etc/passwd", "a\0b", "\ud800", "x" * 256, "a/" * 3000, "./../x"]


@pytest.mark.parametrize("relative", HOSTILE)
def test_hostile_names_are_refused(tmp_path: Path, relative: str) -> None:
    with pytest.raises(Invalid):
        safe_join(tmp_path, relative)


@pytest.mark.parametrize(
    ("relative", "plain"),
    [
        ("a", "a"),
        ("./a//b/", "a/b"),
        ("a/./b", "a/b"),
        ("...", "..."),
        ("..a/b..", "..a/b.."),
        ("a\\..\\b", "a\\..\\b"),
        ("ä ö", "ä ö"),
        ("~/x", "~/x"),
    ],
)
def test_plain_form(tmp_path: Path, relative: str, plain: str) -> None:
    assert clean_relative(relative) == plain
    assert safe_join(tmp_path, relative) == tmp_path / plain


def test_links_must_not_lead_out(tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "root-too"
    (root / "inner").mkdir(parents=True)
    outside.mkdir()
    (root / "out").symlink_to(outside)
    (root / "up").symlink_to("..")
    (root / "self").symlink_to(".")
    (root / "loop").symlink_to("loop")
    (root / "in").symlink_to("inner")
    for relative in ("out", "out/file", "up/x", "self", "in/../../x"):
        with pytest.raises(Invalid):
            safe_join(root, relative)
    assert safe_join(root, "in/file") == root / "in" / "file"
    assert safe_join(root, "self/in/file") == root / "self" / "in" / "file"


def test_root_itself_may_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    assert safe_join(tmp_path / "link", "a") == tmp_path / "link" / "a"


@given(st.text(st.sampled_from("a./\\\0~ ä"), max_size=12))
def test_nothing_leaves_the_root(relative: str) -> None:
    root = Path("/nowhere/root")
    try:
        found = safe_join(root, relative)
    except Invalid:
        return
    assert found != root
    assert ".." not in found.parts
    assert root in found.parents
