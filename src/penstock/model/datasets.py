"""A dataset as a plain document: where its files are, how they are read, and what is done to the rows, in order.

The facade builds these values, `format_dataset` writes the JSON document that travels, is hashed and is stored, and `parse_dataset`
reads it back. Nothing here touches data. A document says all that decides which rows or files come out, given the sources' content.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from typing import Any, Dict, List, Mapping, Optional, Tuple
from urllib.parse import parse_qsl, urlsplit

from penstock.model.errors import Invalid

FORMAT = 1

FILE = "file"
TABULAR = "tabular"

DELIMITED = "delimited"
PARQUET = "parquet"
JSON_LINES = "json_lines"
QUERY = "query"  # rows of a SQL query; they are staged as Parquet

# What `Operation.kind` may be, with the names of its settings.
OPERATIONS: Dict[str, Tuple[str, ...]] = {
    "take": ("count",),
    "skip": ("count",),
    "sample": ("probability", "seed"),
    "split": ("start", "end", "seed"),  # the share of items whose random number lies in [start, end); parts of one split are disjoint
    "keep_columns": ("columns",),
    "drop_columns": ("columns",),
    "filter": ("expression",),  # see penstock.model.expressions
    "time_range": ("column", "start", "end", "start_inclusive", "end_inclusive"),  # ISO-8601 text or None
    "select_paths": ("pattern",),  # a regular expression, searched in each file's path
    "partition_values": ("values",),  # list of {column: value}: files whose partition columns have one of these
}


# The members of a dataset document that say how files are read, and not where they are: what a port of a graph holds.
READING = ("parsing", "partition_format", "operations")


@dataclass(frozen=True)
class Place:
    """Where files are: a path or pattern on a datastore, a URL (http, https, file, or any that fsspec knows), or a SQL query.

    Exactly one of these is set: `path` with `datastore`, `query` with `datastore`, or `url`.
    """

    datastore: Optional[str] = None
    path: Optional[str] = None
    url: Optional[str] = None
    query: Optional[str] = None
    timeout: Optional[int] = None  # seconds, of a query


@dataclass(frozen=True)
class Written:
    """Files that are written from a tabular dataset when they are needed: `to_csv_files`, `to_parquet_files`."""

    dataset: Dataset
    kind: str  # DELIMITED or PARQUET
    separator: str = ","


@dataclass(frozen=True)
class Operation:
    """One transformation; `settings` holds what OPERATIONS lists for its kind."""

    kind: str
    settings: Mapping[str, Any]


@dataclass(frozen=True)
class Parsing:
    """How files become rows. Which settings matter depends on `kind`; the others keep their defaults."""

    kind: str
    separator: str = ","
    header: str = "ALL_FILES_HAVE_SAME_HEADERS"  # v1's PromoteHeadersBehavior, by name
    encoding: str = "utf8"
    infer_column_types: bool = True
    column_types: Mapping[str, Any] = None  # type: ignore[assignment]  # column -> {"type": "string"|"long"|"float"|"bool"|"datetime"|"stream", "formats": [...], "decimal_mark": "."}
    support_multi_line: bool = False
    empty_as_string: bool = False
    include_path: bool = False
    invalid_lines: str = "error"  # or "drop"
    quoting: bool = True

    def __post_init__(self) -> None:
        if self.column_types is None:
            object.__setattr__(self, "column_types", {})


@dataclass(frozen=True)
class Dataset:
    """What a FileDataset or a TabularDataset is made of."""

    type: str  # FILE or TABULAR
    places: Tuple[Place, ...] = ()
    written: Optional[Written] = None  # instead of places, for a file dataset
    parsing: Optional[Parsing] = None  # of a tabular one
    partition_format: Optional[str] = None
    is_file: bool = False  # from_files(is_file=True): the path is one file, by the user's word
    operations: Tuple[Operation, ...] = ()
    timestamp: Optional[str] = None
    partition_timestamp: Optional[str] = None

    def then(self, kind: str, **settings: Any) -> Dataset:
        """Return the dataset with one more operation."""
        if set(settings) != set(OPERATIONS[kind]):
            raise Invalid(f"The operation {kind} takes {', '.join(OPERATIONS[kind])}, not {', '.join(settings)}.")
        return replace(self, operations=(*self.operations, Operation(kind, settings)))


def literal(path: str) -> str:
    """Return the pattern that names a path, whatever letters it holds."""
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in path)


def over_place(place: Place, about: Mapping[str, Any]) -> Dict[str, Any]:
    """Return the document of the dataset over one place, read as a port of a graph says. Nothing is checked; `parse_dataset` does that.

    Args:
        place: Where its files are.
        about: The members of READING that the port has.
    """
    chosen = {name: about[name] for name in READING if about.get(name)}
    return {"format": FORMAT, "type": TABULAR if "parsing" in chosen else FILE, "places": [_format(place)], **chosen}


def format_dataset(dataset: Dataset) -> Dict[str, Any]:
    """Return the JSON document of a dataset. Members that hold their default are left out."""
    return {"format": FORMAT, **_format(dataset)}


def _format(value: Any) -> Any:
    if hasattr(value, "__dataclass_fields__"):
        shown = {}
        for name, about in value.__dataclass_fields__.items():
            item = getattr(value, name)
            if item is not None and item != () and item != {} and item != about.default:
                shown[name] = _format(item)
        return shown
    if isinstance(value, (tuple, list)):
        return [_format(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): _format(item) for key, item in value.items()}
    return value


def parse_dataset(document: Any) -> Dataset:
    """Return the dataset that a document describes.

    Raises:
        Invalid: The document is not one that `format_dataset` writes.
    """
    if not isinstance(document, Mapping) or document.get("format") != FORMAT:
        found = document.get("format") if isinstance(document, Mapping) else None
        raise Invalid(f"This dataset has format {found!r}; this version of Penstock reads format {FORMAT}.")
    try:
        dataset = _parse({key: value for key, value in document.items() if key != "format"})
    except (TypeError, KeyError, AttributeError, ValueError) as error:
        raise Invalid(f"This is not a dataset document: {error}.") from error
    return dataset


def _parse(item: Mapping[str, Any]) -> Dataset:
    written, parsing = item.get("written"), item.get("parsing")
    dataset = Dataset(
        **{
            **item,
            "places": tuple(Place(**place) for place in item.get("places", ())),
            "written": Written(**{**written, "dataset": _parse(written["dataset"])}) if written else None,
            "parsing": Parsing(**parsing) if parsing else None,
            "operations": tuple(parse_operations(item.get("operations", ()))),
        }
    )
    _check(dataset)
    return dataset


def _check(dataset: Dataset) -> None:
    if dataset.type not in (FILE, TABULAR):
        raise ValueError(f"its type is {dataset.type!r}")
    if bool(dataset.places) == bool(dataset.written):
        raise ValueError("it needs places, or a dataset that is written")
    if (dataset.type == TABULAR) != (dataset.parsing is not None):
        raise ValueError("a tabular dataset, and no other, says how it is parsed")
    for place in dataset.places:
        given = [place.url is not None, place.path is not None, place.query is not None]
        if sum(given) != 1 or (place.datastore is None) != (place.url is not None):
            raise ValueError("a place has either a url, or a datastore with a path or a query")
        for text in (place.datastore, place.path, place.url, place.query):
            if text is not None and not isinstance(text, str):
                raise ValueError("a place is made of texts")


# Members of a URL's query that are keys to a store.
_SIGNATURES = ("sig", "x-amz-signature", "x-goog-signature")


def find_secret(url: str) -> Optional[str]:
    """Return which secret a URL carries, 'a signature' or 'a password', or None. A document is no place for one: many people read it.

    Raises:
        ValueError: It can't be a URL.
    """
    parts = urlsplit(url)
    if any(name.lower() in _SIGNATURES for name, _ in parse_qsl(parts.query, keep_blank_values=True)):
        return "a signature"
    return "a password" if parts.password else None


def list_places(document: Mapping[str, Any]) -> List[str]:
    """Return where a dataset's data lies, for people: 'datastore/path', a URL without its query, or 'datastore: statement'."""
    while "written" in document:
        document = document["written"]["dataset"]
    return [_tell_place(place) for place in document.get("places", ())]


def _tell_place(place: Mapping[str, Any]) -> str:
    if "url" in place:
        return str(place["url"]).partition("?")[0]  # a signature is nobody's business
    if "query" in place:
        words = " ".join(place["query"].split())
        return f"{place['datastore']}: {words if len(words) <= 80 else words[:77] + '...'}"
    return f"{place['datastore']}/{place.get('path', '').lstrip('/')}"


def format_operations(operations: Tuple[Operation, ...]) -> List[Dict[str, Any]]:
    """Return the JSON form of a row of operations."""
    return [_format(operation) for operation in operations]


def parse_operations(items: Any) -> List[Operation]:
    """Return the operations that `format_operations` wrote; ValueError for others."""
    found = []
    for item in items:
        if item["kind"] not in OPERATIONS or set(item["settings"]) - set(OPERATIONS[item["kind"]]):
            raise ValueError(f"there is no operation {item!r}")
        settings = {name: item["settings"].get(name) for name in OPERATIONS[item["kind"]]}
        found.append(Operation(item["kind"], settings))
    return found


def definition_hash(document: Mapping[str, Any]) -> str:
    """Return the sha256 of a dataset document's canonical text: equal definitions have equal hashes."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
