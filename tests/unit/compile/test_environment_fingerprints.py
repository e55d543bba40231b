"""What of an environment decides a step's reuse key: its content and what is built for it, never a place or a name."""

from __future__ import annotations

from typing import Any

import pytest

from penstock.compile.fingerprints import components, differences, reuse_key
from penstock.model.graph import StepNode

PYTHON = "cpython 3.7.16"


def key_of(environment: dict[str, Any], python: str = PYTHON, packages: str | None = None) -> str:
    node = StepNode(id="n", name="train", script="train.py", run_config={"environment": environment})
    return reuse_key(components(node, {}, {}, python, packages=packages))


@pytest.mark.parametrize(
    "other",
    [
        {"name": "other", "version": "7", "assetId": "x", "python": {"interpreterPath": "/a/bin/python"}},
        {"name": "train", "python": {"interpreterPath": "/b/bin/python"}},
    ],
)
def test_neither_its_name_nor_an_interpreters_place(other: dict[str, Any]) -> None:
    assert key_of({"name": "train", "python": {"interpreterPath": "/a/bin/python"}}) == key_of(other)


def test_what_is_built_counts() -> None:
    plain, built, other = key_of({}), key_of({}, packages="k1"), key_of({}, packages="k2")
    assert len({plain, built, other, key_of({}, "cpython 3.8.18")}) == 4


def test_the_difference_is_named() -> None:
    node = StepNode(id="n", name="train", script="train.py")
    old, new = (components(node, {}, {}, PYTHON, packages=packages) for packages in (None, "k1"))
    assert [item.component for item in differences(old, new)] == ["environment.packages"]
