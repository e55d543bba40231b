"""A dataset as text: what `str(dataset)` and `print(dataset)` show."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Dict, List

if TYPE_CHECKING:
    from azureml.data.abstract_dataset import AbstractDataset
    from penstock.model.datasets import Dataset, Place

_READINGS = {
    "delimited": "ParseDelimited",
    "parquet": "ReadParquetFile",
    "json_lines": "ParseJsonLines",
    "query": "ReadSqlQuery",
}


def shown(dataset: AbstractDataset) -> str:
    """Return the name of the dataset's type, and on the following lines a JSON object: its source, what is done to it, its registration."""
    facts: Dict[str, Any] = {"source": _sources(dataset._definition), "definition": _steps(dataset._definition)}
    registration = dataset._registration
    if registration is not None:
        about = {key: value for key, value in registration._asdict().items() if value not in (None, {})}
        facts["registration"] = {**about, "workspace": repr(dataset._workspace)}
    return f"{type(dataset).__name__}\n{json.dumps(facts, indent=2, ensure_ascii=False)}"


def _sources(definition: Dataset) -> List[str]:
    if definition.written is not None:
        return _sources(definition.written.dataset)
    return [_source(place) for place in definition.places]


def _source(place: Place) -> str:
    if place.url is not None:
        return place.url
    return str((place.datastore, place.path if place.path is not None else place.query))


def _steps(definition: Dataset) -> List[str]:
    if definition.written is not None:
        writing = "WriteDelimited" if definition.written.kind == "delimited" else "WriteParquet"
        steps = [*_steps(definition.written.dataset), writing]
    else:
        steps = ["GetFiles"]
    if definition.parsing is not None:
        steps.append(_READINGS[definition.parsing.kind])
    return steps + ["".join(part.capitalize() for part in operation.kind.split("_")) for operation in definition.operations]
