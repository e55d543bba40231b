"""Which files of a dataset its operations leave: the same answer wherever it is asked for, and however often.

Chance is a number that follows from the seed and the file's path. So the parts of one split never share a file, and a file stays in its
part when others come and go.
"""

from __future__ import annotations

import hashlib
import re
from typing import Any, Callable, Dict, Iterable, List, Mapping, NamedTuple, Pattern, Sequence

from penstock.model.datasets import FILE, Dataset
from penstock.model.errors import Invalid
from penstock.model.partitions import plain_value

FOR_FILES = ("take", "skip", "sample", "split", "filter", "select_paths", "partition_values")
FOR_FILES_OF_TABLES = ("select_paths", "partition_values")  # what else a tabular dataset lists is done to its rows
_NUMBERS = 2**53

Search = Callable[[str, Sequence[str]], Sequence[bool]]  # which of some paths a regular expression has a match in


class Candidate(NamedTuple):
    """A file that may stay."""

    path: str  # as to_path shows it
    whole_path: str  # from the root of its store, beginning with '/'
    partition: Mapping[str, Any]
    item: Any  # what it stands for


def random_number(seed: Any, text: str) -> float:
    """Return the number in [0, 1) that belongs to a text under a seed: evenly spread, and always the same."""
    digest = hashlib.blake2b(f"{seed}\0{text}".encode("utf-8", "surrogateescape"), digest_size=8).digest()
    return (int.from_bytes(digest, "big") >> 11) / _NUMBERS


def search_paths(pattern: str, paths: Sequence[str]) -> Sequence[bool]:
    """Tell for each path whether a regular expression has a match in it; some expressions take longer than anybody lives."""
    search = compile_pattern(pattern).search
    return [search(path) is not None for path in paths]


def select_files(dataset: Dataset, candidates: Iterable[Candidate], search: Search = search_paths) -> List[Any]:
    """Return what the operations of a dataset leave of its files, in order.

    Args:
        dataset: The dataset.
        candidates: Its files.
        search: Searches paths. A service, which many wait for, gives one that comes to an end.

    Raises:
        Invalid: An operation can't be done to files, or names a column that the partition_format does not have.
    """
    kinds = FOR_FILES if dataset.type == FILE else FOR_FILES_OF_TABLES
    left = list(candidates)
    for operation in dataset.operations:
        if operation.kind == "select_paths":
            left = _select_paths(operation.settings, left, search)
        elif operation.kind in kinds:
            left = _RULES[operation.kind](operation.settings, left)
        elif dataset.type == FILE:
            raise Invalid(f"The operation {operation.kind} is done to columns, and a file dataset has none.")
    return [candidate.item for candidate in left]


def compile_pattern(text: str) -> Pattern[str]:
    """Return the regular expression of a `select_paths`; raise Invalid where it is none."""
    try:
        return re.compile(text)
    except (re.error, RecursionError, OverflowError) as error:
        raise Invalid(
            f"'{text[:200]}' is no regular expression: {error}. Files are chosen by one that is searched in their paths, such as '\\.csv$'."
        ) from None


def _take(settings: Mapping[str, Any], left: List[Candidate]) -> List[Candidate]:
    return left[: settings["count"]]


def _skip(settings: Mapping[str, Any], left: List[Candidate]) -> List[Candidate]:
    return left[settings["count"] :]


def _sample(settings: Mapping[str, Any], left: List[Candidate]) -> List[Candidate]:
    return [item for item in left if random_number(settings["seed"], item.path) < settings["probability"]]


def _split(settings: Mapping[str, Any], left: List[Candidate]) -> List[Candidate]:
    return [item for item in left if settings["start"] <= random_number(settings["seed"], item.path) < settings["end"]]


def _filter(settings: Mapping[str, Any], left: List[Candidate]) -> List[Candidate]:
    from penstock.model.expressions import columns_of, evaluate

    expression = settings["expression"]
    if left:
        _check_columns(sorted(columns_of(expression)), left[0])
    return [item for item in left if evaluate(expression, {name: plain_value(value) for name, value in item.partition.items()}) is True]


def _select_paths(settings: Mapping[str, Any], left: List[Candidate], search: Search) -> List[Candidate]:
    stays = search(settings["pattern"], [item.whole_path for item in left])
    return [item for item, is_found in zip(left, stays) if is_found]


def _partition_values(settings: Mapping[str, Any], left: List[Candidate]) -> List[Candidate]:
    wanted = [{name: plain_value(value) for name, value in row.items()} for row in settings["values"]]
    if left:
        for row in wanted:
            _check_columns(row, left[0])
    columns = list(dict.fromkeys(tuple(row) for row in wanted))
    keys = {(names, tuple(row[name] for name in names)) for row in wanted for names in [tuple(row)]}
    return [item for item in left if any((names, tuple(plain_value(item.partition[name]) for name in names)) in keys for names in columns)]


def _check_columns(names: Iterable[str], candidate: Candidate) -> None:
    for name in names:
        if name not in candidate.partition:
            known = ", ".join(column for column in candidate.partition if not column.startswith("/"))  # the others are facts of the file
            there_are = f"There are: {known}." if known else "Give the dataset a partition_format that has it."
            raise Invalid(f"The files have no partition column '{name}'. {there_are}")


_RULES: Dict[str, Callable[[Mapping[str, Any], List[Candidate]], List[Candidate]]] = {
    "take": _take,
    "skip": _skip,
    "sample": _sample,
    "split": _split,
    "filter": _filter,
    "partition_values": _partition_values,
}
