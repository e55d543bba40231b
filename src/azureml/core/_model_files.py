"""The files of models on this machine: what is registered, and where it is put again."""

from __future__ import annotations

import contextlib
import os
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

from azureml.core._model_errors import model_errors
from azureml.core._model_record import refusal

MODELS_DIR = "azureml-models"
_APP_ROOT = "AML_APP_ROOT"
_MODEL_DIR = "AZUREML_MODEL_DIR"
_UNFINISHED = ".penstock-unfinished-"  # how the name of what is still being fetched begins


class LocalFiles(NamedTuple):
    """What a path on this machine holds."""

    entries: List[Tuple[str, int, str]]  # path inside the model, bytes, sha256
    sources: Dict[str, str]  # sha256 -> where the bytes are
    is_folder: bool


# What is registered


def read_local(model_path: Any, child_paths: Optional[Sequence[str]] = None) -> LocalFiles:
    """Return the files of a path, which may be a file or a folder anywhere on this machine.

    Args:
        model_path: The path. Its last part is what the model's paths begin with.
        child_paths: Only these files and folders of it.

    Raises:
        FileNotFoundError: There is nothing at one of the paths.
        WebserviceException: It is an empty folder, or neither a file nor a folder.
    """
    if not isinstance(model_path, (str, os.PathLike)):
        raise refusal(f"The model path must be the path of a file or folder, not a {type(model_path).__name__}.")
    root = os.path.abspath(os.fspath(model_path))
    if not os.path.exists(root):
        raise FileNotFoundError(f"The model path {root} does not exist. Name a file or a folder that is there.")
    found = _list(root, child_paths)
    if not found:
        raise refusal(f"The model path {root} holds no files.")
    return _digest(found, os.path.isdir(root))


def _list(root: str, child_paths: Optional[Sequence[str]]) -> List[Tuple[str, str]]:
    """Give (path inside the model, path) of the files."""
    name = os.path.basename(root)
    if not os.path.isdir(root):
        return [(name, root)] if os.path.isfile(root) else []
    from penstock.compile.manifests import walk

    files = sorted((f"{name}/{relative}", path) for path, relative, _ in walk(root))
    if not child_paths:
        return files
    wanted = [_child(root, child) for child in ([child_paths] if isinstance(child_paths, str) else child_paths)]
    return [(inner, path) for inner, path in files if any(path == child or path.startswith(child + os.sep) for child in wanted)]


def _child(root: str, child: Any) -> str:
    """A child path is relative to the folder, or names the same place on its own."""
    place = os.path.normpath(os.path.join(root, os.fspath(child)))
    if not os.path.exists(place):
        place = os.path.abspath(child)
    if not os.path.exists(place) or not (place + os.sep).startswith(root.rstrip(os.sep) + os.sep):
        raise FileNotFoundError(f"child_paths names {child}, which is not in {root}.")
    return place


def _digest(files: List[Tuple[str, str]], is_folder: bool) -> LocalFiles:
    from penstock.compile.manifests import digest_file

    entries, sources = [], {}
    for inner, path in files:
        _check_name(inner)
        digest = digest_file(path)
        entries.append((inner, os.path.getsize(path), digest))
        sources[digest] = path
    return LocalFiles(entries, sources, is_folder)


def _check_name(path: str) -> None:
    try:
        path.encode("utf-8")
    except UnicodeEncodeError:
        raise refusal(f"The model holds the file {os.fsencode(path)!r}, whose name is not UTF-8. Rename it.") from None


# Where it is put again


def download(model: Any, folder: str, exist_ok: bool) -> str:
    """Fetch a model into a folder and return the path that all of its files share.

    Raises:
        WebserviceException: The path exists, and `exist_ok` is false.
    """
    name = _root(model)
    target = os.path.join(folder, name)
    if not os.path.lexists(target):
        _fetch_whole(model, folder, name)
        return target
    if not exist_ok:
        raise refusal(f"{os.path.abspath(target)} exists. Take it away, choose another target_dir, or pass exist_ok=True to replace it.")
    for path, _, _ in model._files():
        _fetch(model, folder, path)
    return target


def _root(model: Any) -> str:
    """The file or the folder that was registered: what all paths begin with."""
    paths = [path for path, _, _ in model._files()]
    tops = {path.split("/")[0] for path in paths} if model.unpack else {os.path.commonpath(paths)}
    return tops.pop() if len(tops) == 1 else ""


def _fetch(model: Any, folder: str, path: str) -> None:
    from azureml.data._paths import join_inside

    with model_errors():
        model.workspace._client.download_model_file(model.workspace._id, model.name, model.version, path, join_inside(folder, path))


def _fetch_whole(model: Any, folder: str, name: str) -> None:
    """Fetch a model that is not there, so that it appears whole or not at all."""
    unfinished = _fetch_aside(model, folder)
    try:
        place = os.path.join(folder, name)
        os.makedirs(os.path.dirname(place), exist_ok=True)
        os.rename(os.path.join(unfinished, name), place)
    finally:
        _remove(unfinished)


def _fetch_aside(model: Any, folder: str) -> str:
    """Fetch a model into a new folder beside its place, and return that."""
    import tempfile

    os.makedirs(folder, exist_ok=True)
    unfinished = tempfile.mkdtemp(prefix=_UNFINISHED, dir=folder)
    try:
        for path, _, _ in model._files():
            _fetch(model, unfinished, path)
    except BaseException:
        _remove(unfinished)
        raise
    return unfinished


def _remove(folder: str) -> None:
    import shutil

    shutil.rmtree(folder, ignore_errors=True)


# The cache of get_model_path


def fetch_into_cache(model: Any) -> str:
    """Return where a model lies in the cache of this folder, fetched when it is not there."""
    above = os.path.join(_app_root(), MODELS_DIR, model.name)
    place = os.path.join(above, str(model.version))
    if not _holds(place, model._files()):
        unfinished = _fetch_aside(model, above)
        try:
            _put(unfinished, place, model._files())
        finally:
            _remove(unfinished)
    return os.path.join(place, _root(model))


def _put(unfinished: str, place: str, files: Sequence[Sequence[Any]]) -> None:
    """Rename a folder to its place, unless a quicker process has put the same there; what something else left there goes."""
    while True:
        try:
            os.rename(unfinished, place)
            return
        except OSError:  # something is there
            if not os.path.isdir(place):
                raise
        if _holds(place, files):
            return
        aside = unfinished + "-old"
        with contextlib.suppress(FileNotFoundError):  # another process has moved it, too
            os.rename(place, aside)
        _remove(aside)


def _holds(place: str, files: Sequence[Sequence[Any]]) -> bool:
    """Tell whether a folder of the cache holds exactly these files. They are read: another workspace's model may have their sizes."""
    from penstock.compile.manifests import read_manifest

    if not os.path.isdir(place):
        return False
    found = [(entry.path, entry.size, entry.digest) for entry in read_manifest(place)]
    return found == sorted((path, size, digest) for path, size, digest in files)


def find_offline(name: str, version: Optional[int]) -> Optional[str]:
    """Return where a model lies without asking anybody: in a cache, or as a file or folder of that name; None where there is none."""
    for folder in _version_folders(name, version):
        inside = sorted(item for item in os.listdir(folder) if not item.startswith(_UNFINISHED))
        if inside:
            return os.path.join(folder, inside[0]) if len(inside) == 1 else folder
    return next((path for path in (os.path.join(_app_root(), name), name) if os.path.exists(path)), None)


def _version_folders(name: str, version: Optional[int]) -> List[str]:
    """Return the folders that hold versions of a model, the newest first in each cache."""
    caches = [os.path.join(_app_root(), MODELS_DIR)]
    named = os.environ.get(_MODEL_DIR)
    if named:
        caches.append(named)  # of several models; of one, it is the folder of the version itself
        real = os.path.abspath(named)
        if os.path.basename(os.path.dirname(real)) == name and version in (None, _number(os.path.basename(real))):
            caches.append(os.path.dirname(os.path.dirname(real)))
    found = []
    for cache in caches:
        numbers = sorted(_numbers(os.path.join(cache, name)), reverse=True)
        found += [os.path.join(cache, name, str(number)) for number in numbers if version in (None, number)]
    return found


def _numbers(folder: str) -> List[int]:
    try:
        names = os.listdir(folder)
    except OSError:
        return []
    return [int(name) for name in names if _number(name) is not None and os.path.isdir(os.path.join(folder, name))]


def _number(text: str) -> Optional[int]:
    return int(text) if text.isascii() and text.isdigit() else None


def _app_root() -> str:
    return os.environ.get(_APP_ROOT) or ""
