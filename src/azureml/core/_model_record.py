"""What a model is described by: what the service takes, what it gives back, and v1's words for both."""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Tuple

from azureml.core.resource_configuration import ResourceConfiguration


def check_texts(kind: str, pairs: Any) -> Optional[Dict[str, Optional[str]]]:
    """Return tags or properties as texts; other values become their text.

    Raises:
        WebserviceException: They are not a dictionary.
    """
    if pairs is None:
        return None
    if not isinstance(pairs, dict):
        raise refusal(f"The {kind} of a model are a dictionary of names and texts, not a {type(pairs).__name__}.")
    return {str(key): None if value is None else str(value) for key, value in pairs.items()}


def check_names(kind: str, names: Any) -> List[str]:
    """Return names of tags; one alone may be a text.

    Raises:
        WebserviceException: They are no list of texts.
    """
    found = [names] if isinstance(names, str) else list(names) if isinstance(names, (list, tuple, set)) else None
    if found is None or not all(isinstance(name, str) for name in found):
        raise refusal(f"{kind} are named by a list of texts, not by {names!r}.")
    return found


def check_framework(framework: Any, version: Any) -> Dict[str, Optional[str]]:
    """Return how a model was made, as the service takes it.

    Raises:
        WebserviceException: There is a version, but no framework.
    """
    if version is not None and framework is None:
        raise refusal("model_framework_version says the version of a framework: name it with model_framework, too.")
    return {
        "framework": None if framework is None else str(framework),
        "framework_version": None if version is None else str(version),
    }


def refusal(message: str) -> Exception:
    """Return v1's exception for what a model can't be."""
    from azureml.exceptions import WebserviceException

    return WebserviceException(message)


def format_details(
    workspace: Any, datasets: Any = None, sample_input: Any = None, sample_output: Any = None, resources: Any = None
) -> Dict[str, Any]:
    """Return the parts that not every model has, as the service takes them; datasets are saved on the way.

    Raises:
        WebserviceException: A dataset is not given as (scenario, dataset), or the resources are no ResourceConfiguration.
    """
    if resources is not None and not isinstance(resources, ResourceConfiguration):
        raise refusal(f"resource_configuration is a ResourceConfiguration, not a {type(resources).__name__}.")
    given = {
        "datasets": format_datasets(workspace, datasets) if datasets else None,
        "sample_input_dataset": _save(workspace, sample_input),
        "sample_output_dataset": _save(workspace, sample_output),
        "resources": resources.serialize() if resources is not None else None,
    }
    return {name: value for name, value in given.items() if value is not None}


def format_datasets(workspace: Any, datasets: Any) -> List[Dict[str, str]]:
    """Return pairs of scenario and dataset as the service takes them; the datasets are saved on the way."""
    return [{"scenario": str(scenario), "id": _save(workspace, dataset)} for scenario, dataset in map(_check_pair, datasets)]


def _check_pair(pair: Any) -> Tuple[Any, Any]:
    if isinstance(pair, (list, tuple)) and len(pair) == 2 and hasattr(pair[1], "_ensure_saved"):
        return pair[0], pair[1]
    raise refusal(f"datasets is a list of (scenario, dataset), such as (Dataset.Scenario.TRAINING, dataset); {pair!r} is no such pair.")


def _save(workspace: Any, dataset: Any) -> Any:
    if dataset is None:
        return None
    if not hasattr(dataset, "_ensure_saved"):
        raise refusal(f"{dataset!r} is no dataset.")
    return dataset._ensure_saved(workspace)


def format_filter(kind: str, wanted: Any) -> Optional[Dict[str, Optional[str]]]:
    """Return what tags or properties must have: key -> text, or None for any value.

    Args:
        kind: The name of the argument.
        wanted: A list of keys and of [key, value] pairs; a dictionary or one key is taken, too.

    Raises:
        UserErrorException: It is something else.
    """
    if wanted is None:
        return None
    if isinstance(wanted, dict):
        return {str(key): None if value is None else str(value) for key, value in wanted.items()}
    found: Dict[str, Optional[str]] = {}
    for item in [wanted] if isinstance(wanted, str) else wanted:
        parts = [item] if isinstance(item, str) else item
        if not isinstance(parts, (list, tuple)) or not 1 <= len(parts) <= 2 or not isinstance(parts[0], str):
            from azureml.exceptions import UserErrorException

            raise UserErrorException(f"{kind} is a list of keys and of [key, value] pairs; {item!r} is neither.")
        found[parts[0]] = str(parts[1]) if len(parts) == 2 else None
    return found


def serialize(record: Dict[str, Any]) -> Dict[str, Any]:
    """Return v1's JSON form of a record."""
    details = record["details"]
    return {
        "id": f"{record['name']}:{record['version']}",
        "name": record["name"],
        "version": record["version"],
        "description": record["description"],
        "tags": record["tags"],
        "properties": record["properties"],
        "createdTime": record["created_at"],
        "createdBy": record["created_by"],
        "runId": record["run_id"],
        "experimentName": record["experiment_name"],
        "framework": record["framework"],
        "frameworkVersion": record["framework_version"],
        "mimeType": MIME_TYPE,
        "unpack": record["unpack"],
        "url": f"aml://asset/{record['name']}:{record['version']}",
        "datasets": details.get("datasets", []),
        "sampleInputDatasetId": details.get("sample_input_dataset"),
        "sampleOutputDatasetId": details.get("sample_output_dataset"),
        "resourceRequirements": details.get("resources"),
    }


def deserialize(payload: Dict[str, Any]) -> Dict[str, Any]:
    """Return the record that v1's JSON form describes; what it does not tell is empty."""
    details = {
        "datasets": payload.get("datasets") or [],
        "sample_input_dataset": payload.get("sampleInputDatasetId"),
        "sample_output_dataset": payload.get("sampleOutputDatasetId"),
        "resources": payload.get("resourceRequirements"),
    }
    return {
        "name": payload["name"],
        "version": int(payload["version"]),
        "description": payload.get("description"),
        "tags": payload.get("tags") or {},
        "properties": payload.get("properties") or {},
        "created_at": payload.get("createdTime"),
        "created_by": payload.get("createdBy"),
        "run_id": payload.get("runId"),
        "experiment_name": payload.get("experimentName"),
        "framework": payload.get("framework"),
        "framework_version": payload.get("frameworkVersion"),
        "unpack": bool(payload.get("unpack")),
        "details": {name: value for name, value in details.items() if value},
    }


MIME_TYPE = "application/x-python"
_TEXTS = ("name", "version", "description", "created_at", "created_by", "run_id", "experiment_name", "framework", "framework_version")
EMPTY: Dict[str, Any] = {**dict.fromkeys((*_TEXTS, "unpack")), "tags": {}, "properties": {}, "details": {}}
