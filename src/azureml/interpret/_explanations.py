"""Explanations of models, kept with the runs that made them: one JSON file each, below `explanation/` of the run's files."""

from __future__ import annotations

import io
import json
import uuid
from typing import Any, Dict, List, Mapping, Optional

_FOLDER = "explanation"
_PLAIN = ("features", "classes", "method", "model_task", "model_type", "expected_values", "num_features")
_RANKED = ("get_ranked_global_names", "get_ranked_global_values", "get_ranked_per_class_names", "get_ranked_per_class_values")
_VALUES = ("global_importance_rank", "local_importance_values")


class ModelExplanation:
    """What an explainer found: which features matter, and how much. `ExplanationClient` gives it back as it was uploaded.

    Args:
        document: The explanation's file.
        top_k: Only so many of the features that matter most; None for all.

    Attributes:
        id: The id of the explanation.
        comment: The words that it was uploaded with.
        features: The names of all features.
        classes: The names of the classes, of a classifier.
        local_importance_values: The importance of each feature for each row, where the explanation was a local one; else None.
    """

    def __init__(self, document: Mapping[str, Any], top_k: Optional[int] = None) -> None:
        self._document = document
        self._top_k = top_k
        self.id: str = document["id"]
        self.comment: Optional[str] = document.get("comment")
        self.features: Optional[List[str]] = document.get("features")
        self.classes: Optional[List[str]] = document.get("classes")
        self.local_importance_values: Any = document.get("local_importance_values")

    def __repr__(self) -> str:
        return f"ModelExplanation(id: {self.id}, comment: {self.comment}, features: {len(self.features or [])})"

    def get_ranked_global_names(self, top_k: Optional[int] = None) -> List[Any]:
        """Return the features, the most important first."""
        return self._first("get_ranked_global_names", top_k)

    def get_ranked_global_values(self, top_k: Optional[int] = None) -> List[float]:
        """Return the importance of the features, the largest first."""
        return self._first("get_ranked_global_values", top_k)

    def get_ranked_per_class_names(self, top_k: Optional[int] = None) -> List[List[Any]]:
        """Return for each class the features, the most important first."""
        return [items[: top_k or self._top_k] for items in self._first("get_ranked_per_class_names", None, cut=False)]

    def get_ranked_per_class_values(self, top_k: Optional[int] = None) -> List[List[float]]:
        """Return for each class the importance of the features, the largest first."""
        return [items[: top_k or self._top_k] for items in self._first("get_ranked_per_class_values", None, cut=False)]

    def get_feature_importance_dict(self, top_k: Optional[int] = None) -> Dict[Any, float]:
        """Return feature -> its importance, the most important first."""
        return dict(zip(self.get_ranked_global_names(top_k), self.get_ranked_global_values(top_k)))

    def _first(self, name: str, top_k: Optional[int], cut: bool = True) -> List[Any]:
        found = self._document.get(name)
        if found is None:
            raise ValueError(f"The explanation {self.id} was uploaded without what {name} gives.")
        return list(found[: top_k or self._top_k] if cut else found)


class ExplanationClient:
    """Keeps explanations of models with a run, and gives them back.

    Args:
        service_context: Accepted and ignored.
        run_id: Accepted and ignored.
        _run: The run; `from_run` gives it.
    """

    def __init__(self, service_context: Any = None, run_id: Optional[str] = None, _run: Any = None) -> None:
        if _run is None:
            raise ValueError(
                "Make an ExplanationClient by ExplanationClient.from_run(run), or from_run_id(workspace, experiment_name, run_id)."
            )
        self._run = _run

    @classmethod
    def from_run(cls, run: Any) -> ExplanationClient:
        """Return the client of a run."""
        return cls(_run=run)

    @classmethod
    def from_run_id(cls, workspace: Any, experiment_name: str, run_id: str) -> ExplanationClient:
        """Return the client of the run with an id."""
        from azureml.core import Experiment, Run

        return cls(_run=Run(Experiment(workspace, experiment_name), run_id))

    @property
    def run(self) -> Any:
        """Return the run."""
        return self._run

    def upload_model_explanation(
        self,
        explanation: Any,
        max_num_blocks: Optional[int] = None,
        block_size: Optional[int] = None,
        top_k: Optional[int] = None,
        comment: Optional[str] = None,
        init_dataset_id: Optional[str] = None,
        eval_dataset_id: Optional[str] = None,
        ys_pred_dataset_id: Optional[str] = None,
        ys_pred_proba_dataset_id: Optional[str] = None,
        upload_datasets: bool = False,
        model_id: Optional[str] = None,
        true_ys: Any = None,
        visualization_points: Any = 5000,
    ) -> str:
        """Keep an explanation with the run; return its id.

        What is kept is the importance of features, global and local; the data that was explained is not.

        Args:
            explanation: What an explainer returned: an object with `get_ranked_global_names` and `get_ranked_global_values`.
            max_num_blocks: Accepted and ignored: an explanation is one file.
            block_size: Accepted and ignored.
            top_k: Accepted and ignored: all features are kept.
            comment: Words to find it by.
            init_dataset_id: The dataset that the explainer started from; kept as a word.
            eval_dataset_id: The dataset that was explained; kept as a word.
            ys_pred_dataset_id: Kept as a word.
            ys_pred_proba_dataset_id: Kept as a word.
            upload_datasets: True says in the log that the data is not kept.
            model_id: The model that was explained.
            true_ys: Accepted and ignored.
            visualization_points: Accepted and ignored.
        """
        if upload_datasets or true_ys is not None:
            import logging

            logging.getLogger("penstock").warning("The data of an explanation is not kept with it; upload it with run.upload_file.")
        about = {"comment": comment, "model_id": model_id, "init_dataset_id": init_dataset_id, "eval_dataset_id": eval_dataset_id}
        more = {"ys_pred_dataset_id": ys_pred_dataset_id, "ys_pred_proba_dataset_id": ys_pred_proba_dataset_id}
        document = {"id": str(uuid.uuid4()), **about, **more, **_facts(explanation)}
        self._run.upload_file(f"{_FOLDER}/{document['id']}.json", io.BytesIO(json.dumps(document).encode()))
        return str(document["id"])

    def list_model_explanations(
        self, comment: Optional[str] = None, raw: Optional[bool] = None, engineered: Optional[bool] = None
    ) -> List[Dict[str, Any]]:
        """Return id, comment and model of each explanation of the run; with `comment`, only those that have it."""
        found = [self._read(name) for name in self._names()]
        about = ("id", "comment", "model_id", "method", "model_task", "is_raw", "is_engineered")
        return [{key: item.get(key) for key in about} for item in found if _fits(item, comment, raw, engineered)]

    def download_model_explanation(
        self,
        explanation_id: Optional[str] = None,
        top_k: Optional[int] = None,
        comment: Optional[str] = None,
        raw: Optional[bool] = None,
        engineered: Optional[bool] = None,
    ) -> ModelExplanation:
        """Return an explanation of the run: the one with this id, or the only one that fits.

        Raises:
            UserErrorException: None fits, or several do.
        """
        from azureml.exceptions import UserErrorException

        found = [self._read(name) for name in self._names()]
        fits = [item for item in found if explanation_id in (None, item["id"]) and _fits(item, comment, raw, engineered)]
        if len(fits) != 1:
            ids = ", ".join(item["id"] for item in found) or "none"
            raise UserErrorException(
                f"The run {self._run.id} has {len(fits)} explanations that fit; name one with explanation_id. It has: {ids}."
            )
        return ModelExplanation(fits[0], top_k)

    def _names(self) -> List[str]:
        return [name for name in self._run.get_file_names() if name.startswith(f"{_FOLDER}/") and name.endswith(".json")]

    def _read(self, name: str) -> Dict[str, Any]:
        import os
        import tempfile

        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "explanation.json")
            self._run.download_file(name, path)
            with open(path, encoding="utf-8") as file:
                document: Dict[str, Any] = json.load(file)
        return document


def _fits(document: Mapping[str, Any], comment: Optional[str], raw: Optional[bool], engineered: Optional[bool]) -> bool:
    asked = {"comment": comment, "is_raw": raw, "is_engineered": engineered}
    return all(value is None or document.get(name) == value for name, value in asked.items())


def _facts(explanation: Any) -> Dict[str, Any]:
    """Return what an explanation knows, as JSON. Explainers differ in what they know."""
    facts = {name: _plain(getattr(explanation, name, None)) for name in (*_PLAIN, *_VALUES)}
    for name in _RANKED:
        facts[name] = _ask(explanation, name)
    return {
        **facts,
        "is_raw": bool(getattr(explanation, "is_raw", False)),
        "is_engineered": bool(getattr(explanation, "is_engineered", False)),
    }


def _ask(explanation: Any, name: str) -> Any:
    """Call one of an explanation's methods; None where it has none, or not for this kind of model."""
    method = getattr(explanation, name, None)
    try:
        return _plain(method()) if callable(method) else None
    except (AttributeError, NotImplementedError, ValueError, TypeError):
        return None


def _plain(value: Any) -> Any:
    """Return a value with numpy's arrays and numbers as Python's own."""
    if hasattr(value, "tolist"):
        return _plain(value.tolist())
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value if value is None or isinstance(value, (str, int, float, bool)) else str(value)
