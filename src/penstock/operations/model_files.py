"""The bytes of models: files of a run that are kept, files that a client sent, and files that are read again."""

from __future__ import annotations

import contextlib
import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath
from typing import Any

from penstock.model.errors import Invalid, NotFound, Refused
from penstock.operations import blobs, files
from penstock.operations.context import Context
from penstock.operations.names import check_digest
from penstock.storage.files import IncomingFile, OpenFile
from penstock.storage.paths import clean_relative

NO_SUCH_PATH = "model path"  # the kind that the error names, for callers that have an exception of their own for it

_CHUNK = 1 << 20
_TRIES = 3
_NAMES_IN_MESSAGE = 50
_LARGEST = 2**63 - 1

ModelFile = list[Any]  # [path, size, sha256], as the rows hold them


# Files that a client sent


def check_model_files(entries: Any) -> list[ModelFile]:
    """Return the files of a model, by path.

    Raises:
        Invalid: One is not [path, size, sha256], leaves the model's folder, or has the path of another; or there are none.
    """
    found = sorted(_check_entry(entry) for entry in entries)
    if not found:
        raise Invalid("A model has one file at least.")
    counts = Counter(path for path, _, _ in found)
    folders = {str(folder) for path in counts for folder in PurePosixPath(path).parents}
    twice = next((path for path, count in counts.items() if count > 1 or path in folders), None)
    if twice is not None:
        raise Invalid(f"Two files of the model have the path '{twice[:200]}', or it is a file and a folder.")
    return found


def _check_entry(entry: Any) -> ModelFile:
    if not isinstance(entry, (list, tuple)) or len(entry) != 3:
        raise Invalid("A model's file is [path, size, sha256].")
    path, size, digest = entry
    if isinstance(size, bool) or not isinstance(size, int) or not 0 <= size <= _LARGEST:
        raise Invalid("A model's file is [path, size, sha256]: text, whole number, text.")
    if clean_relative(path) != path:
        raise Invalid(f"The model's path '{path[:200]}' is not in its plain form.")
    return [path, size, check_digest(digest)]


def require_bytes(context: Context, entries: Sequence[ModelFile]) -> None:
    """Check that the bytes of all files are here.

    Raises:
        NotFound: Some are not; `details` lists their digests.
        Invalid: A file has another size than was said.
    """
    missing = blobs.missing_blobs(context, (digest for _, _, digest in entries))
    if missing:
        raise NotFound(f"{len(missing)} files of the model were not sent yet.", missing=missing[:1000])
    for path, size, digest in entries:
        found = blobs.blob_path(context, digest).stat().st_size
        if found != size:
            raise Invalid(f"The file '{path}' of the model has {found} bytes, not {size}.")


# Files of a run


def keep_files_of_run(context: Context, run_id: str, path: str) -> tuple[list[ModelFile], bool]:
    """Keep a file or a folder of a run, files that its step is still to collect included; return the files, and whether it was a folder.

    What is kept begins with the last part of the path: of 'outputs/model', the files are 'model/...'.

    Raises:
        NotFound: The run has neither; the message lists what it has.
        Refused: A file changes while it is read.
    """
    names = [item["name"] for item in files.list_files(context, run_id)]
    plain = _plain(path)
    chosen = [name for name in names if name == plain] or [name for name in names if name.startswith(f"{plain}/")]
    if not chosen:
        shown = f"{', '.join(names[:_NAMES_IN_MESSAGE])}{', ...' if len(names) > _NAMES_IN_MESSAGE else ''}"
        has = f"It has: {shown}." if names else "It has none."
        raise NotFound(
            f"Could not locate the model path '{path[:200]}' among the files of run {run_id}. {has} Store it first: "
            "write it below ./outputs, or run.upload_file(name, path).",
            kind=NO_SUCH_PATH,
            files=names[:1000],
        )
    above = len(plain) - len(plain.rpartition("/")[2])
    return [[name[above:], *_keep(context, run_id, name)] for name in chosen], chosen != [plain]


def _plain(path: str) -> str:
    """Return a path in its plain form; one that leaves the run as it is, for no file of the run has it."""
    try:
        return clean_relative(path)
    except Invalid:
        return path


def _keep(context: Context, run_id: str, name: str) -> tuple[int, str]:
    """Copy a file of a run to where bytes are kept; return its size and sha256. What is there already is only read."""
    for _ in range(_TRIES):
        with contextlib.closing(files.open_file(context, run_id, name)) as source:
            size, digest = source.size, _digest(source)
        if not blobs.missing_blobs(context, [digest]):
            return size, digest
        with contextlib.closing(files.open_file(context, run_id, name)) as source, blobs.receive_blob(context, digest) as incoming:
            if source.size == size:
                _copy(source, incoming)
                with contextlib.suppress(Invalid):  # it was written to meanwhile
                    incoming.finish()
                    return size, digest
    raise Refused(f"The file '{name}' of run {run_id} changes while it is read. Register it when it is written.")


def _digest(source: OpenFile) -> str:
    found = hashlib.sha256()
    for data in _parts(source):
        found.update(data)
    return found.hexdigest()


def _copy(source: OpenFile, target: IncomingFile) -> None:
    for data in _parts(source):
        target.write(data)


def _parts(source: OpenFile) -> Iterator[bytes]:
    """Yield what an open file had when it was opened: one that grows is read no further."""
    left = source.size
    while left:
        data = source.read(min(left, _CHUNK))
        if not data:
            return
        left -= len(data)
        yield data
