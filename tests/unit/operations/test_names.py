from __future__ import annotations

from typing import Any

import pytest

from penstock.model.errors import Invalid
from penstock.operations.names import RUN_ID, check_digest, check_name, texts


@pytest.mark.parametrize("name", ["a", "Experiment e Environment", "x" * 255, "größe", "AzureML-sklearn-0.24", "..."])
def test_names(name: str) -> None:
    assert check_name("thing", name) == name


@pytest.mark.parametrize("name", ["", " ", ".", "..", "a/b", "a\\b", "a\n", "\0", "\ud800", "x" * 256, None, 5, ["a"]])
def test_no_names(name: Any) -> None:
    with pytest.raises(Invalid, match="thing"):
        check_name("thing", name)


def test_a_message_about_a_name_is_a_sentence() -> None:
    with pytest.raises(Invalid, match="can't name an experiment"):
        check_name("experiment", "a/b")


def test_values_become_texts() -> None:
    assert texts("tags", {"a": 1, "b": 1.5, "c": True, "d": None, "e": ""}) == {"a": "1", "b": "1.5", "c": "True", "d": None, "e": ""}


@pytest.mark.parametrize("pairs", [None, "a", ["a"], {"": "x"}, {1: "x"}, {"a": []}, {"a": {}}, {"x" * 256: "a"}, {"a": "x" * 1_000_001}])
def test_no_texts(pairs: Any) -> None:
    with pytest.raises(Invalid, match="tags"):
        texts("tags", pairs)


def test_run_ids() -> None:
    assert all(RUN_ID.fullmatch(text) for text in ("a", "HD_1-2.3", "0" * 255))
    assert not any(RUN_ID.fullmatch(text) for text in ("", "_a", ".a", "a/b", "a b", "0" * 256, "a\n", "ä"))


@pytest.mark.parametrize("digest", ["", "0" * 63, "0" * 65, "A" * 64, "g" * 64, "0" * 64 + "\n", None, 0])
def test_no_digests(digest: Any) -> None:
    with pytest.raises(Invalid):
        check_digest(digest)
