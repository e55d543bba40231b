"""Which version is meant, and what is said where there is none."""

from __future__ import annotations

from typing import Any

import pytest

from penstock.model.errors import Invalid
from penstock.operations.versions import parse_version, tell_names, tell_versions


@pytest.mark.parametrize(("version", "number"), [(None, None), ("latest", None), (0, 0), ("7", 7), (2**63 - 1, 2**63 - 1)])
def test_a_number_or_the_newest(version: Any, number: int | None) -> None:
    assert parse_version("model", version) == number


@pytest.mark.parametrize("version", [True, -1, 2**63, 1.0, "", "-1", "1.0", "²", "9" * 19, "newest", []])
def test_all_else_is_refused_by_name(version: Any) -> None:
    with pytest.raises(Invalid, match="version of a model"):
        parse_version("model", version)


def test_of_many_versions_the_last_are_told() -> None:
    assert tell_versions([1, 2]) == "Its versions are 1, 2."
    assert tell_versions(range(1, 13)) == "Its versions are ..., 3, 4, 5, 6, 7, 8, 9, 10, 11, 12."


def test_a_slip_gets_the_nearest_name_and_all_else_the_first_ones() -> None:
    assert tell_names("model", "wether", ["weather", "net"]) == "Did you mean 'weather'?"
    assert tell_names("model", "x", []) == "No model is registered in it."
    assert tell_names("model", "x", ["b", "a"]) == "There are: a, b."
    assert tell_names("model", "x", [f"name{number:02}" for number in range(12)]).endswith("name09, and 2 more.")
