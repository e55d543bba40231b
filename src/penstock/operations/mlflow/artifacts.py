"""MLflow's artifacts: the files of runs under their own names, and those of registered models, which nobody writes to.

An address is `runs/<run id>/<file>`, `logged-models/<id>/<file>`, which is a folder of a run, or `models/<name>/<version>/<file>`.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from penstock.model.errors import Invalid, NotFound, Refused, TooLarge
from penstock.operations import files, models
from penstock.operations.context import Context
from penstock.operations.tokens import Grant
from penstock.storage.files import IncomingFile, OpenFile
from penstock.storage.paths import clean_relative

SCHEME = "mlflow-artifacts:"
RUNS, LOGGED_MODELS, MODELS = "runs", "logged-models", "models"
MOST_BYTES = 256 * 1024**3
_FIRST_WITH_SCHEME = (1, 24)  # clients before this one know files, but not this scheme
_FIRST_WITH_LOGGED_MODELS = (3, 0)


@dataclass(frozen=True)
class Client:
    """Which MLflow asks: what an address looks like depends on it."""

    version: tuple[int, int] = _FIRST_WITH_SCHEME

    @classmethod
    def parse(cls, agent: str) -> Client:
        """Return the client that a User-Agent names; one of today for any other."""
        match = re.match(r"mlflow-\w+-client/(\d{1,4})\.(\d{1,4})", agent)
        return cls((int(match[1]), int(match[2]))) if match else cls()

    @property
    def knows_addresses(self) -> bool:
        """Whether the client knows addresses that lead to us; older ones want folders."""
        return self.version >= _FIRST_WITH_SCHEME

    @property
    def knows_logged_models(self) -> bool:
        """Whether the client looks for models beside the files of runs."""
        return self.version >= _FIRST_WITH_LOGGED_MODELS


def run_address(context: Context, run_id: str, client: Client) -> str:
    """Return the address under which a client finds and puts the artifacts of a run."""
    if not client.knows_addresses:
        return files.collected_folder(context.home, run_id).as_uri()
    return f"{SCHEME}/{RUNS}/{run_id}"


def logged_model_address(model_id: str) -> str:
    """Return the address of a logged model's artifacts."""
    return f"{SCHEME}/{LOGGED_MODELS}/{model_id}"


def model_address(name: str, version: int) -> str:
    """Return the address of a registered model's files."""
    return f"{SCHEME}/{MODELS}/{name}/{version}"


@dataclass(frozen=True)
class Place:
    """What an address names: a file or folder of a run, '' for all of its files, or of a version of a model."""

    path: str
    run_id: str = ""
    model: tuple[str, str] | None = None


def find_place(context: Context, grant: Grant, address: str) -> Place:
    """Return the place that an address names.

    Raises:
        NotFound: There is no such run or model in the workspace.
        Invalid: The address leaves its folder, or is none.
    """
    root, owner, *others = [*clean_relative(address).split("/"), ""]
    rest = "/".join(part for part in others if part)
    if root == RUNS:
        return Place(rest, run_id=_check_run(context, grant, owner))
    if root == LOGGED_MODELS:
        row = context.database.first(
            "select run_id, path from logged_models where id = ? and workspace_id = ? and deleted_at is null", (owner, grant.workspace_id)
        )
        if row is None:
            raise NotFound(f"There is no logged model '{owner[:80]}' in this workspace.")
        return Place(posixpath.join(row["path"], rest) if rest else row["path"], run_id=row["run_id"])
    if root == MODELS:
        version, _, inner = rest.partition("/")
        return Place(inner, model=(owner, version))
    raise Invalid(f"'{address[:200]}' is no address of artifacts: it begins with {RUNS}/, {LOGGED_MODELS}/ or {MODELS}/.")


def _check_run(context: Context, grant: Grant, run_id: str) -> str:
    if not context.database.first("select 1 from runs where id = ? and workspace_id = ?", (run_id, grant.workspace_id)):
        raise NotFound(f"Run with id={run_id[:255]} not found.")
    return run_id


# Reading


def list_artifacts_at(context: Context, grant: Grant, address: str, client: Client) -> dict[str, Any]:
    """Return what lies directly below an address: name, whether it is a folder, size."""
    return {"files": _list(context, grant, address, client)}


def list_artifacts_of_run(context: Context, grant: Grant, run_id: str, path: str, client: Client) -> dict[str, Any]:
    """Return what lies directly below a folder of a run, each under its whole name, and the address of the run."""
    found = _list(context, grant, f"{posixpath.join(RUNS, run_id)}/{path}", Client())
    whole = [{**item, "path": posixpath.join(path, item["path"])} for item in found]
    return {"root_uri": run_address(context, run_id, client), "files": whole}


def _list(context: Context, grant: Grant, address: str, client: Client) -> list[dict[str, Any]]:
    place = find_place(context, grant, address)
    if place.model:
        return _children(_model_files(context, grant, place), place.path)
    if client.knows_logged_models and address.startswith(f"{RUNS}/") and _is_of_logged_model(context, place):
        return []  # the client lists the model beside the run: it would have each of its files twice
    return _children(((item["name"], item["size"]) for item in files.list_files(context, place.run_id)), place.path)


def _children(listed: Iterable[tuple[str, int]], path: str) -> list[dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    prefix = f"{path}/" if path else ""
    for name, size in listed:
        if name.startswith(prefix):
            first, slash, _ = name[len(prefix) :].partition("/")
            found[first] = {"path": first, "is_dir": True} if slash else {"path": first, "is_dir": False, "file_size": size}
    return [found[name] for name in sorted(found)]


def _is_of_logged_model(context: Context, place: Place) -> bool:
    rows = context.database.all("select path from logged_models where run_id = ? and deleted_at is null", (place.run_id,))
    return any(place.path == row["path"] or place.path.startswith(f"{row['path']}/") for row in rows)


def open_artifact(context: Context, grant: Grant, address: str) -> OpenFile:
    """Open a file; NotFound when there is none."""
    place = find_place(context, grant, address)
    if not place.path:
        raise NotFound(f"'{address[:200]}' is no file.")
    if not place.model:
        return files.open_file(context, place.run_id, place.path)
    model = models.get_model(context, grant.workspace_id, *place.model)
    return models.open_model_file(context, grant.workspace_id, model["name"], model["version"], _prefix(model) + place.path)


def _model_files(context: Context, grant: Grant, place: Place) -> list[tuple[str, int]]:
    assert place.model
    model = models.get_model(context, grant.workspace_id, *place.model)
    prefix = _prefix(model)
    return [(path[len(prefix) :], size) for path, size, _ in model["files"]]


def _prefix(model: Mapping[str, Any]) -> str:
    """Return the folder that all files of a model lie in, as v1 keeps it and MLflow does not; '' when there is none."""
    firsts = {path.partition("/")[0] for path, _, _ in model["files"] if "/" in path}
    is_folder = model["unpack"] and len(firsts) == 1 and all("/" in path for path, _, _ in model["files"])
    return f"{firsts.pop()}/" if is_folder else ""


# Writing


class IncomingArtifact:
    """A file on its way into a run: it appears whole or not at all."""

    def __init__(self, incoming: IncomingFile) -> None:
        self._incoming = incoming

    def __enter__(self) -> IncomingArtifact:
        return self

    def write(self, data: bytes) -> None:
        """Take the next bytes; raise TooLarge when they are too many."""
        if self._incoming.size + len(data) > MOST_BYTES:
            raise TooLarge(f"An artifact has at most {MOST_BYTES} bytes.")
        self._incoming.write(data)

    def finish(self) -> None:
        """Put the file in its place; Refused when a folder has that name."""
        self._incoming.finish()

    def __exit__(self, *about: Any) -> None:
        self._incoming.__exit__(*about)


def receive_artifact(context: Context, grant: Grant, address: str) -> IncomingArtifact:
    """Return the place for an artifact of a run, to be written and finished.

    Raises:
        Refused: It belongs to a registered model, which does not change.
    """
    place = _writable(context, grant, address)
    return IncomingArtifact(files.receive_file(context, place.run_id, place.path))


def delete_artifact(context: Context, grant: Grant, address: str) -> None:
    """Remove an artifact, a file or a folder; one that is not there is no error, as for MLflow."""
    place = _writable(context, grant, address)
    files.delete_file(context, place.run_id, place.path)


def _writable(context: Context, grant: Grant, address: str) -> Place:
    place = find_place(context, grant, address)
    if place.model:
        raise Refused(f"The model {':'.join(place.model)} does not change. Register another version.")
    if not place.path:
        raise Invalid(f"'{address[:200]}' names no file of the run.")
    return place
