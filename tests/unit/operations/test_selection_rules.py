"""Which files operations leave: always the same, and the parts of a split share none."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from penstock.model.datasets import FILE, PARQUET, TABULAR, Dataset, Parsing, Place
from penstock.model.errors import Invalid
from penstock.model.selection import Candidate, random_number, search_paths, select_files
from penstock.operations import selection

FILES = Dataset(FILE, (Place("store", "data"),))
PATHS = some.lists(some.text(min_size=1, max_size=20), unique=True, max_size=60)
SHARES = some.floats(0, 1)


def select(dataset: Dataset, paths: Any, **columns: list[Any]) -> list[str]:
    rows = [{name: values[index] for name, values in columns.items()} for index in range(len(paths))]
    return select_files(dataset, [Candidate(path, f"/data{path}", row, path) for path, row in zip(paths, rows, strict=True)])


@given(text=some.text(), seed=some.integers() | some.text() | some.none())
def test_a_random_number_stays(text: str, seed: Any) -> None:
    assert 0 <= random_number(seed, text) < 1
    assert random_number(seed, text) == random_number(seed, text)


def test_random_numbers_are_evenly_spread() -> None:
    numbers = sorted(random_number(7, f"/part-{index}") for index in range(20_000))
    assert max(abs(number - index / 20_000) for index, number in enumerate(numbers)) < 0.02
    assert numbers != sorted(random_number(8, f"/part-{index}") for index in range(20_000))


@given(paths=PATHS, share=SHARES, seed=some.integers())
def test_parts_of_a_split_are_disjoint_and_whole(paths: list[str], share: float, seed: int) -> None:
    first = select(FILES.then("split", start=0.0, end=share, seed=seed), paths)
    second = select(FILES.then("split", start=share, end=1.0, seed=seed), paths)
    assert sorted(first + second) == sorted(paths)
    assert not set(first) & set(second)


@given(paths=PATHS, others=PATHS, share=SHARES, seed=some.integers())
def test_a_file_stays_in_its_part_when_others_come(paths: list[str], others: list[str], share: float, seed: int) -> None:
    part = FILES.then("split", start=0.0, end=share, seed=seed)
    more = select(part, [*paths, *(path for path in others if path not in paths)])
    assert select(part, paths) == [path for path in more if path in paths]


@given(paths=PATHS, share=SHARES, seed=some.integers())
def test_a_sample_keeps_the_order(paths: list[str], share: float, seed: int) -> None:
    found = select(FILES.then("sample", probability=share, seed=seed), paths)
    assert found == [path for path in paths if path in found]
    assert select(FILES.then("sample", probability=1.0, seed=seed), paths) == paths
    assert select(FILES.then("sample", probability=0.0, seed=seed), paths) == []


@given(paths=PATHS, count=some.integers(0, 80))
def test_take_and_skip_are_the_two_ends(paths: list[str], count: int) -> None:
    assert select(FILES.then("take", count=count), paths) + select(FILES.then("skip", count=count), paths) == paths


def test_operations_are_done_in_their_order() -> None:
    paths = ["/a", "/b", "/c", "/d"]
    assert select(FILES.then("skip", count=1).then("take", count=2), paths) == ["/b", "/c"]
    assert select(FILES.then("take", count=2).then("skip", count=1), paths) == ["/b"]


def test_paths_are_searched() -> None:
    paths = ["/a.csv", "/b.txt", "/csv/c"]
    assert select(FILES.then("select_paths", pattern=r"\.csv$"), paths) == ["/a.csv"]
    assert select(FILES.then("select_paths", pattern="^/data/b"), paths) == ["/b.txt"]  # the whole path on the store
    with pytest.raises(Invalid, match="no regular expression"):
        select(FILES.then("select_paths", pattern="**/*.csv"), paths)


def test_partition_values_choose_files() -> None:
    paths, cities = ["/1", "/2", "/3"], ["Oslo", "Rome", "Oslo"]
    days = [{"time": f"2020-01-0{day}T00:00:00"} for day in (1, 2, 3)]
    wanted = FILES.then("partition_values", values=[{"city": "Rome"}, {"city": "Oslo", "day": {"time": "2020-01-03"}}])
    assert select(wanted, paths, city=cities, day=days) == ["/2", "/3"]
    assert select(FILES.then("partition_values", values=[]), paths, city=cities) == []
    with pytest.raises(Invalid, match=r"no partition column 'town'. There are: city"):
        select(FILES.then("partition_values", values=[{"town": "x"}]), paths, city=cities)


def test_filter_asks_partition_columns() -> None:
    expression = {"call": "eq", "arguments": [{"column": "city"}, {"value": "Oslo"}]}
    assert select(FILES.then("filter", expression=expression), ["/1", "/2"], city=["Oslo", "Rome"]) == ["/1"]
    late = {"call": "ge", "arguments": [{"column": "day"}, {"time": "2020-01-02T00:00:00"}]}
    days = [{"time": "2020-01-01T00:00:00"}, {"time": "2020-01-02T00:00:00"}]
    assert select(FILES.then("filter", expression=late), ["/1", "/2"], day=days) == ["/2"]
    with pytest.raises(Invalid, match=r"no partition column 'city'\. Give the dataset a partition_format"):
        select(FILES.then("filter", expression=expression), ["/1"])


def test_rows_are_not_files() -> None:
    table = Dataset(TABULAR, (Place("store", "data"),), parsing=Parsing(PARQUET))
    paths = ["/a", "/b"]
    assert select(table.then("take", count=1).then("drop_columns", columns=["x"]), paths) == paths
    assert select(table.then("select_paths", pattern="b$"), paths) == ["/b"]
    with pytest.raises(Invalid, match="drop_columns is done to columns"):
        select(FILES.then("drop_columns", columns=["x"]), paths)


@pytest.mark.parametrize("pattern", [r"\.csv$", "^/a", "", "(?i)ROME", "[^a]b"])
def test_the_service_finds_what_everybody_finds(pattern: str) -> None:
    paths = ["/a.csv", "/rome/ab", "/a\udcff.csv", "/\n.csv\n", "/aa b"]
    assert list(selection._search_paths(pattern, paths)) == list(search_paths(pattern, paths))


def test_an_expression_that_never_comes_to_an_end_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selection, "_SEARCH_SECONDS", 1)
    with pytest.raises(Invalid, match="did not come to an end within 1 seconds"):
        selection._search_paths("(a+)+$", ["/" + "a" * 60 + "b"])
