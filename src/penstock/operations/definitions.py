"""Definitions of datasets as they arrive: whether every member is what it must be, before one is stored or followed."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from penstock.model.datasets import (
    DELIMITED,
    FILE,
    JSON_LINES,
    PARQUET,
    QUERY,
    TABULAR,
    Dataset,
    Operation,
    Parsing,
    Written,
    find_secret,
    format_dataset,
    parse_dataset,
)
from penstock.model.errors import Invalid, TooLarge
from penstock.model.partitions import parse_partition_format, plain_value
from penstock.model.selection import FOR_FILES, compile_pattern

LONGEST_DEFINITION = 16 * 1024 * 1024  # characters: a list of some hundred thousand files
_LONGEST_PATTERN = 2_000


def read_definition(document: Any) -> tuple[Dataset, dict[str, Any]]:
    """Return the dataset that a document describes, and its document in the form that is stored and hashed.

    Raises:
        Invalid: It describes none; the message names the member.
        TooLarge: It is longer than anybody can mean.
    """
    try:
        dataset = parse_dataset(document)
        _check(dataset)
        definition = format_dataset(dataset)
        length = len(json.dumps(definition))
    except RecursionError:
        raise Invalid("This dataset is made of datasets and expressions that lie too deep in each other.") from None
    if length > LONGEST_DEFINITION:
        raise TooLarge(
            f"The definition of this dataset has {length} characters; at most {LONGEST_DEFINITION} are kept. "
            "Name its files by a folder or a pattern."
        )
    return dataset, definition


def _check(dataset: Dataset) -> None:
    for name in ("partition_format", "timestamp", "partition_timestamp"):
        _demand(name, getattr(dataset, name), _is_text_or_none, "a text")
    _demand("is_file", dataset.is_file, _is_flag, "true or false")
    if dataset.partition_format is not None:
        parse_partition_format(dataset.partition_format)
    for place in dataset.places:
        _check_url(place.url)
        _demand("timeout", place.timeout, lambda value: value is None or _is_count(value), "a whole number of seconds")
    if any((place.query is not None) != _is_from_query(dataset) for place in dataset.places):
        raise Invalid("A table of rows from a query has places with queries, and no other dataset has.")
    if dataset.parsing is not None:
        _check_parsing(dataset.parsing)
    if dataset.written is not None:
        _check_written(dataset, dataset.written)
    for operation in dataset.operations:
        _check_operation(dataset, operation)


def _check_url(url: str | None) -> None:
    """Refuse an address that holds a password or a signature: definitions are stored and shown to everybody."""
    if url is None or "://" not in url:
        return
    try:
        secret = find_secret(url)
    except ValueError as error:
        raise Invalid(f"A dataset has an address that is none: {error}.") from None
    if secret:
        raise Invalid(
            f"An address on '{urlsplit(url).hostname}' holds {secret}, which a dataset would show to everybody. "
            "Register a datastore with these credentials, and name the path on it."
        )


def _is_from_query(dataset: Dataset) -> bool:
    return dataset.parsing is not None and dataset.parsing.kind == QUERY


def _check_parsing(parsing: Parsing) -> None:
    kinds = (DELIMITED, PARQUET, JSON_LINES, QUERY)
    _demand("parsing.kind", parsing.kind, lambda value: value in kinds, f"one of {', '.join(kinds)}")
    for item in fields(Parsing):
        value = getattr(parsing, item.name)
        if isinstance(item.default, bool):
            _demand(f"parsing.{item.name}", value, _is_flag, "true or false")
        elif isinstance(item.default, str):
            _demand(f"parsing.{item.name}", value, _is_text, "a text")
    _demand("parsing.column_types", parsing.column_types, _are_column_types, 'an object of {"type": text, ...} by column')


def _check_written(dataset: Dataset, written: Written) -> None:
    if dataset.type != FILE or written.dataset.type != TABULAR:
        raise Invalid("Only a file dataset is written from a dataset, and only from a tabular one.")
    _demand("written.kind", written.kind, lambda value: value in (DELIMITED, PARQUET), f"{DELIMITED} or {PARQUET}")
    _demand("written.separator", written.separator, _is_text, "a text")
    _check(written.dataset)


def _check_operation(dataset: Dataset, operation: Operation) -> None:
    if dataset.type == FILE and operation.kind not in FOR_FILES:
        raise Invalid(f"The operation {operation.kind} is done to columns, and a file dataset has none.")
    for name, value in operation.settings.items():
        is_right, rule = _SETTINGS.get(f"{operation.kind}.{name}") or _SETTINGS[name]
        _demand(f"{operation.kind}.{name}", value, is_right, rule)
    if operation.kind == "filter":
        _check_expression(operation.settings["expression"])
    if operation.kind == "select_paths":
        compile_pattern(operation.settings["pattern"])


def _check_expression(expression: Any) -> None:
    from penstock.model.expressions import check

    check(expression)


def _demand(name: str, value: Any, is_right: Callable[[Any], bool], rule: str) -> None:
    if not is_right(value):
        raise Invalid(f"'{name}' of a dataset must be {rule}, not {str(value)[:80]!r}.")


# What a member may be


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_text_or_none(value: Any) -> bool:
    return value is None or isinstance(value, str)


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63


def _is_share(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1


def _is_seed(value: Any) -> bool:
    return value is None or isinstance(value, str | int) or (isinstance(value, float) and math.isfinite(value))


def _are_texts(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(item, str) for item in value)


def _is_moment(value: Any) -> bool:
    try:
        datetime.fromisoformat(str(value).replace("Z", "+00:00"))
    except ValueError:
        return value is None
    return isinstance(value, str)


def _are_column_types(value: Any) -> bool:
    return isinstance(value, Mapping) and all(isinstance(item, Mapping) and isinstance(item.get("type"), str) for item in value.values())


def _is_partition_value(value: Any) -> bool:
    try:
        plain_value(value)
    except ValueError:
        return False
    return not isinstance(value, list | tuple)


def _are_partitions(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(
        isinstance(row, Mapping) and all(_is_partition_value(item) for item in row.values()) for row in value
    )


# The settings of operations, by name; `kind.name` where a name means different things.
_SETTINGS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "count": (_is_count, "a whole number, 0 or more"),
    "probability": (_is_share, "a number from 0 to 1"),
    "seed": (_is_seed, "a number or a text"),
    "split.start": (_is_share, "a number from 0 to 1"),
    "split.end": (_is_share, "a number from 0 to 1"),
    "columns": (_are_texts, "a list of texts"),
    "expression": (lambda value: isinstance(value, Mapping), "an expression"),
    "column": (_is_text, "a text"),
    "start": (_is_moment, "a time as ISO-8601 text"),
    "end": (_is_moment, "a time as ISO-8601 text"),
    "start_inclusive": (_is_flag, "true or false"),
    "end_inclusive": (_is_flag, "true or false"),
    "pattern": (lambda value: isinstance(value, str) and len(value) <= _LONGEST_PATTERN, f"a text of at most {_LONGEST_PATTERN} letters"),
    "values": (_are_partitions, "a list of objects of column and value"),
}
