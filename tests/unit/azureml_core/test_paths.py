"""Nothing that a user says as a path leaves the root it is meant for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from azureml.data._paths import clean, join_inside
from azureml.data._transfer import clean_prefix
from azureml.exceptions import UserErrorException

HOSTILE = [
    "../../etc/passwd",
    "/etc/passwd",
    "a/../../../etc/passwd",
    "./../x",
    "..\\..\\x",
    "a\\..\\..\\..\\x",
    "//server/share",
    "....//....//x",
    "..",
    "a/./../..",
    "~/x",
    "C:\\x",
    "",
    None,
]


@pytest.mark.parametrize(
    ("given", "cleaned"),
    [
        ("/a/b", "a/b"),
        ("./a", "a"),
        ("../../a", "a"),
        ("a//b/", "a/b"),
        ("a/../b", "b"),
        (None, ""),
        (".", ""),
        ("a\\b", "a/b"),
        ("...", "..."),
    ],
)
def test_paths_are_cleaned_as_v1_did(given: str, cleaned: str) -> None:
    assert clean(given) == cleaned


@pytest.mark.parametrize("path", HOSTILE)
def test_no_path_leaves_the_root(path: str, tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    place = os.path.realpath(join_inside(str(root), path))
    assert place == str(root) or place.startswith(f"{root}{os.sep}")


def test_link_out_of_the_root_is_refused(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "root-beside").mkdir()
    (tmp_path / "root" / "link").symlink_to(tmp_path / "root-beside")
    with pytest.raises(UserErrorException, match="leads out of"):
        join_inside(str(tmp_path / "root"), "link/x")


def test_nul_is_refused() -> None:
    with pytest.raises(UserErrorException, match="NUL"):
        clean("a\0b")


def test_prefix_is_text_unless_it_ends_like_a_folder() -> None:
    assert clean_prefix("out") == "out"
    assert clean_prefix("./out/") == "out/"
    assert clean_prefix(None) == ""
