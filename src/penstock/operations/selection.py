"""From a dataset to its files: what lies at its places, how a mount shows it, and which of it the operations leave."""

from __future__ import annotations

import difflib
import json
import os
import posixpath
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

from penstock.model.datasets import Dataset, Place
from penstock.model.errors import Invalid, NotFound, PenstockError, Unavailable
from penstock.model.partitions import PartitionFormat, parse_partition_format
from penstock.model.selection import Candidate, compile_pattern, select_files
from penstock.operations.context import Context
from penstock.operations.datastores import clean_pattern, place_store
from penstock.operations.definitions import read_definition
from penstock.operations.workspaces import get_workspace
from penstock.storage.stores import Check, Found, Store
from penstock.storage.stores.addresses import address_of, describe, describe_path
from penstock.storage.stores.patterns import Pattern

_SOME_LETTERS = re.compile(r"[?\[]")  # after these, v1 shows whole paths
_ALL_BELOW = ("**", "**/*")
_MOST_NAMES = 10  # in a message
_QUERY_SECONDS = 30
_AT_ONCE = 16  # places on other machines

_SEARCH_SECONDS = 10
_SEARCH = "import json, re, sys; wanted, paths = json.load(sys.stdin); print(json.dumps([bool(re.search(wanted, path)) for path in paths]))"


class ResolvedFile(NamedTuple):
    """One file of a dataset. `path` is how `to_path` shows it, and begins with '/'."""

    store: Store
    found: Found
    path: str
    partition: Mapping[str, Any]


class Resolved(NamedTuple):
    """The files of a dataset.

    `folder` is the path on the store of `files` whose whole content they are; None where they are not the content of one folder.
    `is_single` says that the definition names one file, and not a folder or a pattern that happens to hold one.
    """

    files: tuple[ResolvedFile, ...]
    folder: str | None = None
    is_single: bool = False


def _go_on() -> None:
    """Check nothing."""


def resolve(context: Context, workspace_id: str, dataset: Dataset, check: Check = _go_on) -> Resolved:
    """Return the files of a dataset, in the order of its places and then by path.

    Of a file dataset, all operations are done; of a tabular one, those that choose files.

    Args:
        context: The surroundings.
        workspace_id: Whose datastores the places name.
        dataset: What is looked for.
        check: Called now and then; it raises to end a long search.

    Raises:
        NotFound: A place holds nothing, or there is no such datastore. Where operations leave nothing, that is an answer.
        Invalid: A path does not fit the partition format, or an operation can't be done to files.
    """
    if dataset.written is not None:
        raise Invalid("The files of this dataset are written from a table when they are needed; until then they lie nowhere.")
    parts = _look_at_all(context, workspace_id, dataset.places, check)
    files = _read_partitions(dataset, _show(parts))
    left = _select(dataset, files)
    only = parts[0] if len(parts) == 1 else None
    is_whole = only is not None and len(left) == len(files)
    return Resolved(tuple(left), only.folder if only and is_whole else None, bool(only and only.is_single and not dataset.operations))


def resolve_document(context: Context, workspace_id: str, document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the files of the dataset that a document describes, as clients see them; `local` is None for what is not on this machine."""
    get_workspace(context, workspace_id)
    dataset, _ = read_definition(document)
    return show(context, resolve(context, workspace_id, dataset))


def show(context: Context, found: Resolved, places: Sequence[str] = ()) -> dict[str, Any]:
    """Return resolved files as clients see them; `places` are where each lies on this machine, when they were all brought here."""
    folder = None
    if found.folder is not None and found.files and found.files[0].store.is_local:
        folder = context.stores.local_path(found.files[0].store, found.folder)
    files = [_show_file(file) for file in found.files]
    files = [{**file, "local": place} for file, place in zip(files, places, strict=True)] if places else files
    return {"files": files, "folder": folder, "is_single": found.is_single}


def _show_file(file: ResolvedFile) -> dict[str, Any]:
    store, found = file.store, file.found
    return {
        "path": file.path,
        "size": found.size,
        "token": found.token,
        "modified_at": found.modified_at,
        "local": os.path.join(store.root, found.path) if store.is_local else None,
        "partition": file.partition,
    }


def fetch(context: Context, files: Sequence[tuple[Store, Found]], check: Check) -> list[str]:
    """Return where each file can be read on this machine. Each store is asked once, by however many places of a dataset it is named."""
    stores = {id(store): store for store, _ in files}
    names = {key: (store.name, address_of(store)) for key, store in stores.items()}
    by_store: dict[tuple[str, str], list[int]] = {}
    for number, (store, _) in enumerate(files):
        by_store.setdefault(names[id(store)], []).append(number)
    places: dict[int, str] = {}
    for numbers in by_store.values():
        found = context.stores.fetch(files[numbers[0]][0], [files[number][1] for number in numbers], check)
        places.update(zip(numbers, found, strict=True))
    return [places[number] for number in range(len(files))]


# Places


class _Part(NamedTuple):
    """What one place holds."""

    store: Store
    found: Sequence[Found]
    base: str  # the folder that `to_path` leaves out
    is_single: bool = False
    folder: str | None = None


def _look_at_all(context: Context, workspace_id: str, places: Sequence[Place], check: Check) -> list[_Part]:
    stores: dict[str, Store] = {}
    found = [(*_find_store(context, workspace_id, place, stores), place) for place in places]
    if sum(not store.is_local for store, _, _ in found) < 2:
        return [_look(context, store, pattern, place, check) for store, pattern, place in found]
    pool = ThreadPoolExecutor(_AT_ONCE, "look")  # each look at a far store is a journey
    try:
        return list(pool.map(lambda item: _look(context, item[0], item[1], item[2], check), found))
    finally:
        pool.shutdown(cancel_futures=True)


def _find_store(context: Context, workspace_id: str, place: Place, known: dict[str, Store]) -> tuple[Store, str]:
    """Return the store of a place and the pattern in it; a datastore is looked up once, however many of its paths are named."""
    if place.datastore is None:
        return place_store(context, workspace_id, place)
    if place.datastore not in known:
        known[place.datastore], _ = place_store(context, workspace_id, place)
    return known[place.datastore], clean_pattern(place.path or "")


def _look(context: Context, store: Store, pattern: str, place: Place, check: Check) -> _Part:
    check()
    if place.query is not None:
        return _run_query(context, store, place, check)
    pattern = pattern if _is_web(store) else pattern.strip("/")
    found = context.stores.list(store, pattern, check)
    if not found:
        raise _nothing_found(context, store, pattern, check)
    return _measure(store, pattern, found)


def _measure(store: Store, text: str, found: Sequence[Found]) -> _Part:
    if _is_web(store) or (len(found) == 1 and found[0].path == text):
        return _Part(store, found, posixpath.dirname(describe_path(store, text)), is_single=True)
    pattern = Pattern(text)
    if pattern.is_plain or pattern.text[len(pattern.folder) :].lstrip("/") in _ALL_BELOW:
        return _Part(store, found, pattern.folder, folder=pattern.folder)
    return _Part(store, found, "" if _SOME_LETTERS.search(text) else pattern.folder)


def _run_query(context: Context, store: Store, place: Place, check: Check) -> _Part:
    assert place.query is not None
    path, digest = context.stores.query(store, place.query, _QUERY_SECONDS if place.timeout is None else place.timeout, check)
    folder, name = os.path.split(path)
    found = Found(name, os.path.getsize(path), f"sha256:{digest}", None)
    return _Part(Store(store.name, "file", folder), [found], "")


def _is_web(store: Store) -> bool:
    return store.protocol in ("http", "https")  # in a web address, '?' begins its query


# How paths are shown


def _show(parts: Sequence[_Part]) -> list[ResolvedFile]:
    """Return each file once, with the path that a mount or a download gives it."""
    if len(parts) == 1:
        (part,) = parts
        start = len(part.base) + 1 if part.base else 0
        return [ResolvedFile(part.store, found, f"/{describe_path(part.store, found.path)[start:]}", {}) for found in part.found]
    files = {(part.store.protocol, part.store.root, found.path): (part.store, found) for part in parts for found in part.found}
    shown = [describe_path(store, found.path) for store, found in files.values()]
    counts = Counter(shown)
    return [
        ResolvedFile(store, found, f"/{path}" if counts[path] == 1 else f"/{store.name}/{path}", {})
        for (store, found), path in zip(files.values(), shown, strict=True)
    ]


def _read_partitions(dataset: Dataset, files: list[ResolvedFile]) -> list[ResolvedFile]:
    if dataset.partition_format is None:
        return files
    form = parse_partition_format(dataset.partition_format)
    return [file._replace(partition=_match(form, file)) for file in files]


def _match(form: PartitionFormat, file: ResolvedFile) -> dict[str, Any]:
    values = form.match(f"/{file.found.path}")
    if values is None:
        raise Invalid(
            f"The file '{_tell_path(file.store, file.found.path)}' on {_tell_store(file.store)} does not fit the partition_format "
            f"'{form.text}'. Choose the files by a pattern that leaves it out, or change the format; '*' stands for any text."
        )
    return values


def _select(dataset: Dataset, files: list[ResolvedFile]) -> list[ResolvedFile]:
    if not dataset.operations:
        return files
    asks = any(operation.kind == "filter" for operation in dataset.operations)
    return select_files(dataset, [_candidate(file, asks) for file in files], _search_paths)


def _search_paths(pattern: str, paths: Sequence[str]) -> Sequence[bool]:
    """Search in a process of its own: an expression that never comes to an end would hold up the whole service."""
    compile_pattern(pattern)
    command, given = [sys.executable, "-I", "-S", "-c", _SEARCH], json.dumps([pattern, paths])
    try:
        done = subprocess.run(command, input=given, capture_output=True, text=True, timeout=_SEARCH_SECONDS, check=True)
    except subprocess.TimeoutExpired:
        raise Invalid(
            f"The regular expression '{pattern[:200]}' did not come to an end within {_SEARCH_SECONDS} seconds, in {len(paths)} paths. "
            "A repetition within a repetition, such as '(a+)+', does that; write it without one."
        ) from None
    except (OSError, subprocess.CalledProcessError) as error:
        raise Unavailable(f"The paths can't be searched for '{pattern[:200]}' now: {error}. Try again.") from error
    found: list[bool] = json.loads(done.stdout)
    return found


def _candidate(file: ResolvedFile, with_facts: bool) -> Candidate:
    about = {**file.partition, **_facts(file.found)} if with_facts else file.partition
    return Candidate(file.path, f"/{file.found.path}", about, file)


def _facts(found: Found) -> dict[str, Any]:
    """What a filter may ask about a file: `FileDataset.file_metadata`. No partition column begins with '/'."""
    return {
        "/Size": None if found.size < 0 else found.size,
        "/LastModifiedTime": None if found.modified_at is None else {"time": found.modified_at.rstrip("Z")},
        "/Extension": posixpath.splitext(found.path)[1],
        "/CanSeek": True,
    }


# When nothing is there


def _nothing_found(context: Context, store: Store, text: str, check: Check) -> NotFound:
    """Return the error for a pattern that names no file: what is there instead, as far as it can be found quickly."""
    where, path = _tell_store(store), _tell_path(store, text)
    about = {"datastore": store.name, "path": path}
    if _is_web(store):
        return NotFound(f"There is no file '{path}' on {where}.", **about)
    pattern = Pattern(text)
    if pattern.is_plain and _is_folder(context, store, text):
        return NotFound(f"The folder '{path}' on {where} holds no file.", **about)
    folder = posixpath.dirname(text) if pattern.is_plain else pattern.folder
    try:
        names = _list_names(context, store, folder, check)
    except PenstockError:  # what was asked for is not there: that is the news
        names = []
    shown = f"There is no file '{path}' on {where}" if pattern.is_plain else f"No file on {where} fits '{path}'"
    if posixpath.basename(text) in names:
        hint = "'*', '?' and '[' stand for other letters in a path; to name the file itself, write them as '[*]', '[?]' and '[[]'."
        return NotFound(f"{shown}. {hint}", **about)
    near = difflib.get_close_matches(posixpath.basename(text), names, n=1) if pattern.is_plain else []
    hint = (
        f"Did you mean '{_tell_path(store, posixpath.join(folder, near[0]))}'?" if near else _tell_names(_tell_path(store, folder), names)
    )
    return NotFound(f"{shown}. {hint}", **about)


def _tell_store(store: Store) -> str:
    return "this machine" if _is_machine(store) else describe(store)


def _tell_path(store: Store, path: str) -> str:
    return f"/{path}" if _is_machine(store) else describe_path(store, path)


def _is_machine(store: Store) -> bool:
    return store.is_local and store.root == "/"  # a path of this machine, named without a datastore


def _tell_names(folder: str, names: list[str]) -> str:
    place = f"The folder '{folder}'" if folder else "Its root"
    if not names:
        return f"{place} is empty or not there; check the path, and that the files were uploaded."
    more = f", and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return f"{place} holds {', '.join(names[:_MOST_NAMES])}{more}."


def _list_names(context: Context, store: Store, folder: str, check: Check) -> list[str]:
    """Return the names in a folder: files, and on a local store folders too."""
    if store.is_local:
        try:
            return sorted(os.listdir(context.stores.local_path(store, folder)))
        except OSError:
            return []
    found = context.stores.list(store, posixpath.join(folder, "*"), check)
    return [posixpath.basename(item.path) for item in found]


def _is_folder(context: Context, store: Store, path: str) -> bool:
    return store.is_local and os.path.isdir(context.stores.local_path(store, path))
