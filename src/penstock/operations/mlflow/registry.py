"""MLflow's model registry over our models: the same names, versions, tags and files."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import unquote, urlsplit

from penstock.model.errors import Invalid, NotFound
from penstock.operations import files, models, registered_models
from penstock.operations.context import Context
from penstock.operations.mlflow import artifacts, filters, words
from penstock.operations.mlflow.artifacts import Client
from penstock.operations.tokens import Grant

_NO_STAGE = "None"
_STAGES = (_NO_STAGE, "Staging", "Production", "Archived")
_OURS = "mlflow"  # the member of a version's details that is MLflow's


# Names


def create_name(context: Context, grant: Grant, name: str, description: str | None, tags: Mapping[str, str]) -> dict[str, Any]:
    """Make a name without versions; AlreadyExists when there is one."""
    registered_models.create_registered_model(context, grant.workspace_id, name, description, tags)
    return get_name(context, grant, name)


def get_name(context: Context, grant: Grant, name: str) -> dict[str, Any]:
    """Return a name with its latest version of each stage."""
    found = registered_models.get_registered_model(context, grant.workspace_id, name)
    return {"registered_model": _name_document(found, _versions(context, grant, name))}


def _versions(context: Context, grant: Grant, name: str) -> list[dict[str, Any]]:
    return models.list_models(context, grant.workspace_id, name)


def _name_document(found: Mapping[str, Any], versions: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    aliases = _aliases(found)
    return {
        "name": found["name"],
        "creation_timestamp": words.milliseconds(found["created_at"]),
        "last_updated_timestamp": words.milliseconds(found["modified_at"]),
        "description": found["description"] or "",
        "latest_versions": [_version_document(version, aliases) for version in _latest_of_stages(versions).values()],
        "tags": words.pairs(found["tags"]),
        "aliases": [{"alias": alias, "version": str(version)} for alias, version in sorted(aliases.items())],
    }


def _aliases(found: Mapping[str, Any]) -> dict[str, int]:
    return dict(found["details"].get("aliases") or {})


def _latest_of_stages(versions: Sequence[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    newest_last = sorted(versions, key=lambda item: int(item["version"]))
    return {_stage(version): version for version in newest_last}


def search_names(context: Context, grant: Grant, filter: str, size: int, order_by: Sequence[str], token: str | None) -> dict[str, Any]:
    """Return the names that a filter leaves, a page at a time, by name where no order is asked for."""
    comparisons, orders = filters.parse_filter(filter), filters.parse_orders(order_by)
    known = registered_models.list_registered_models(context, grant.workspace_id)
    found = [item for item in known if filters.matches(comparisons, lambda kind, name, item=item: _name_value(item, kind, name))]  # type: ignore[misc]
    shown, after = filters.page(filters.ordered(found, orders, _name_value), token, size)
    listed = [_name_document(item, _versions(context, grant, item["name"])) for item in shown]
    return {"registered_models": listed, **({"next_page_token": after} if after else {})}


def _name_value(found: Mapping[str, Any], kind: str, name: str) -> Any:
    if kind == filters.TAG:
        return found["tags"].get(name)
    known = {
        "name": found["name"],
        "creation_timestamp": words.milliseconds(found["created_at"]),
        "last_updated_timestamp": words.milliseconds(found["modified_at"]),
    }
    return known[filters.check_attribute(name, known)]


def update_name(context: Context, grant: Grant, name: str, description: str | None) -> dict[str, Any]:
    """Describe a name."""
    registered_models.update_registered_model(context, grant.workspace_id, name, description)
    return get_name(context, grant, name)


def delete_name(context: Context, grant: Grant, name: str) -> None:
    """Delete a name with all of its versions."""
    models.delete_registered_model(context, grant.workspace_id, name)


def tag_name(context: Context, grant: Grant, name: str, key: str, value: str | None) -> None:
    """Set a tag of a name, or remove it when the value is None."""
    tags, removed = ({}, [key]) if value is None else ({key: value}, [])
    registered_models.update_registered_model(context, grant.workspace_id, name, tags=tags, remove_tags=removed)


def set_alias(context: Context, grant: Grant, name: str, alias: str, version: str | None) -> None:
    """Let an alias stand for a version, or for none any more."""
    with context.change():
        aliases = _aliases(registered_models.get_registered_model(context, grant.workspace_id, name))
        aliases.pop(alias, None)
        if version is not None:
            aliases[alias] = int(models.get_model(context, grant.workspace_id, name, version)["version"])
        registered_models.update_registered_model(context, grant.workspace_id, name, details={"aliases": aliases})


def get_by_alias(context: Context, grant: Grant, name: str, alias: str) -> dict[str, Any]:
    """Return the version that an alias stands for; NotFound when it stands for none."""
    aliases = _aliases(registered_models.get_registered_model(context, grant.workspace_id, name))
    if alias not in aliases:
        raise NotFound.named("alias", alias, aliases, f"the model '{name}'")
    return get_version(context, grant, name, str(aliases[alias]))


# Versions


def create_version(
    context: Context,
    grant: Grant,
    name: str,
    source: str,
    run_id: str | None,
    description: str | None,
    tags: Mapping[str, str],
    model_id: str | None,
) -> dict[str, Any]:
    """Register the files that a source names as the next version.

    Raises:
        Invalid: The source lies outside of this workspace's runs and models.
        NotFound: There is nothing there.
    """
    registered_models.get_registered_model(context, grant.workspace_id, name)
    place = find_source(context, grant, source, model_id)
    logged = model_id or _logged_model_id(source)
    about = {"source": source, **({"model_id": logged} if logged else {})}
    given: dict[str, Any] = {"description": description, "tags": tags, "details": {_OURS: about}}
    if place.model:
        old = models.get_model(context, grant.workspace_id, *place.model)
        made = models.register_model(
            context, grant.workspace_id, name, files=old["files"], run_id=run_id or old["run_id"], unpack=old["unpack"], **given
        )
    else:
        about["path"] = place.path
        made = models.register_model(context, grant.workspace_id, name, run_id=place.run_id, path=place.path, **given)
    return get_version(context, grant, name, str(made["version"]))


def _logged_model_id(source: str) -> str | None:
    """Return the id of the logged model that a source names, as in `models:/m-...`."""
    scheme, _, rest = source.partition(":/")
    return rest.strip("/") if scheme == "models" and "/" not in rest.strip("/") else None


def find_source(context: Context, grant: Grant, source: str, model_id: str | None = None) -> artifacts.Place:
    """Return the place that a model's source names; see `create_version` for the errors."""
    parts = urlsplit(source)
    path = unquote(parts.path).strip("/")
    if parts.scheme == "models":
        name, slash, _ = path.partition("/")
        address = f"{artifacts.MODELS}/{path}" if slash else f"{artifacts.LOGGED_MODELS}/{name}"
    elif parts.scheme == "runs":
        address = f"{artifacts.RUNS}/{path}"
    elif f"{parts.scheme}:" == artifacts.SCHEME:
        address = path
    elif parts.scheme in ("", "file"):
        address = _address_of_file(context, source if parts.scheme == "" else unquote(parts.path))
    else:
        raise _foreign(source)
    place = artifacts.find_place(context, grant, address)
    if not place.path and not place.model:
        raise Invalid(f"The source '{source[:200]}' is all of a run. Name the folder of the model.")
    return place


def _address_of_file(context: Context, path: str) -> str:
    """Return the address of a file of a run, as clients name it that know files only."""
    root = f"{context.home.runs}/"
    run_id, _, _ = path[len(root) :].partition("/")
    folder = f"{files.collected_folder(context.home, run_id)}/"
    if not path.startswith(root) or not path.startswith(folder):
        raise _foreign(path)
    return posixpath.join(artifacts.RUNS, run_id, path[len(folder) :])


def _foreign(source: str) -> Invalid:
    return Invalid(
        f"The model source '{source[:200]}' is none of this workspace. Log the model into a run, and register it from there:"
        " runs:/<run id>/<folder>, or models:/<id>."
    )


def get_version(context: Context, grant: Grant, name: str, version: str) -> dict[str, Any]:
    """Return one version of a model."""
    found = models.get_model(context, grant.workspace_id, name, version)
    aliases = _aliases(registered_models.get_registered_model(context, grant.workspace_id, name))
    return {"model_version": _version_document(found, aliases)}


def _version_document(found: Mapping[str, Any], aliases: Mapping[str, int]) -> dict[str, Any]:
    about = found["details"].get(_OURS) or {}
    return {
        "name": found["name"],
        "version": str(found["version"]),
        "creation_timestamp": words.milliseconds(found["created_at"]),
        "last_updated_timestamp": words.milliseconds(found["modified_at"]),
        "user_id": found["created_by"] or "",
        "current_stage": _stage(found),
        "description": found["description"] or "",
        "source": about.get("source") or artifacts.model_address(found["name"], found["version"]),
        "run_id": found["run_id"] or "",
        "status": "READY",
        "tags": words.pairs(found["tags"]),
        "aliases": sorted(alias for alias, version in aliases.items() if version == found["version"]),
        **({"model_id": about["model_id"]} if about.get("model_id") else {}),
    }


def _stage(found: Mapping[str, Any]) -> str:
    return str((found["details"].get(_OURS) or {}).get("stage") or _NO_STAGE)


def search_versions(context: Context, grant: Grant, filter: str, size: int, order_by: Sequence[str], token: str | None) -> dict[str, Any]:
    """Return the versions that a filter leaves, a page at a time, the newest first."""
    comparisons, orders = filters.parse_filter(filter), filters.parse_orders(order_by)
    names = {item["name"]: _aliases(item) for item in registered_models.list_registered_models(context, grant.workspace_id)}
    wanted = {item.name: str(item.value) for item in comparisons if item.kind == filters.ATTRIBUTE and item.operator == "="}
    versions = models.list_models(context, grant.workspace_id, wanted.get("name"), run_id=wanted.get("run_id") or None)
    known = [item for item in versions if item["name"] in names]
    found = [item for item in known if filters.matches(comparisons, lambda kind, name, item=item: _version_value(item, kind, name))]  # type: ignore[misc]
    shown, after = filters.page(filters.ordered(found, orders, _version_value), token, size)
    listed = [_version_document(item, names[item["name"]]) for item in shown]
    return {"model_versions": listed, **({"next_page_token": after} if after else {})}


def _version_value(found: Mapping[str, Any], kind: str, name: str) -> Any:
    if kind == filters.TAG:
        return found["tags"].get(name)
    shown = _version_document(found, {})
    known = {
        **{key: shown[key] for key in ("name", "run_id", "creation_timestamp", "last_updated_timestamp", "current_stage")},
        "version_number": found["version"],
        "version": found["version"],
        "source_path": shown["source"],
    }
    return known[filters.check_attribute(name, known)]


def latest_versions(context: Context, grant: Grant, name: str, stages: Sequence[str]) -> dict[str, Any]:
    """Return the newest version of each stage, or of those that are named."""
    aliases = _aliases(registered_models.get_registered_model(context, grant.workspace_id, name))
    wanted = {_check_stage(stage) for stage in stages}
    latest = _latest_of_stages(_versions(context, grant, name))
    return {"model_versions": [_version_document(one, aliases) for stage, one in latest.items() if not wanted or stage in wanted]}


def _check_stage(stage: str) -> str:
    found = next((known for known in _STAGES if known.lower() == stage.lower()), None)
    if found is None:
        raise Invalid(f"There is no stage '{stage[:40]}'. There are: {', '.join(_STAGES)}.")
    return found


def update_version(context: Context, grant: Grant, name: str, version: str, description: str | None) -> dict[str, Any]:
    """Describe a version."""
    models.update_model(context, grant.workspace_id, name, version, description=description)
    return get_version(context, grant, name, version)


def tag_version(context: Context, grant: Grant, name: str, version: str, key: str, value: str | None) -> None:
    """Set a tag of a version, or remove it when the value is None."""
    tags, removed = ({}, [key]) if value is None else ({key: value}, [])
    models.update_model(context, grant.workspace_id, name, version, tags=tags, remove_tags=removed)


def set_stage(context: Context, grant: Grant, name: str, version: str, stage: str, archives_others: bool) -> dict[str, Any]:
    """Move a version to a stage; those that were in it go to the archive when that is asked for."""
    wanted = _check_stage(stage)
    with context.change():
        target = models.get_model(context, grant.workspace_id, name, version)
        others = [item for item in _versions(context, grant, name) if _stage(item) == wanted and item["version"] != target["version"]]
        for item in others if archives_others else ():
            _write_stage(context, grant, item, "Archived")
        _write_stage(context, grant, target, wanted)
        return get_version(context, grant, name, version)


def _write_stage(context: Context, grant: Grant, found: Mapping[str, Any], stage: str) -> None:
    about = {**(found["details"].get(_OURS) or {}), "stage": stage}
    models.update_model(context, grant.workspace_id, found["name"], found["version"], details={_OURS: about})


def delete_version(context: Context, grant: Grant, name: str, version: str) -> None:
    """Delete a version, and the aliases that stand for it."""
    number = models.get_model(context, grant.workspace_id, name, version)["version"]
    with context.change():  # first: an alias of a version that is gone would be there for ever
        aliases = _aliases(registered_models.get_registered_model(context, grant.workspace_id, name))
        left = {alias: known for alias, known in aliases.items() if known != number}
        registered_models.update_registered_model(context, grant.workspace_id, name, details={"aliases": left})
    models.delete_model(context, grant.workspace_id, name, number)


def download_address(context: Context, grant: Grant, name: str, version: str, client: Client) -> dict[str, Any]:
    """Return where a client finds the files of a version; one that knows files only, in the run that they came from."""
    found = models.get_model(context, grant.workspace_id, name, version)
    path = (found["details"].get(_OURS) or {}).get("path")
    if not client.knows_addresses and path and found["run_id"]:
        return {"artifact_uri": (files.collected_folder(context.home, found["run_id"]) / path).as_uri()}
    return {"artifact_uri": artifacts.model_address(found["name"], found["version"])}
