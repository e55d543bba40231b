"""Explanations of models, kept with a run and given back."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
import pytest

from azureml.core import Experiment, Run, Workspace
from azureml.exceptions import UserErrorException
from azureml.interpret import ExplanationClient


class Found:
    """What an explainer of a regression returns: numpy values, and no classes."""

    features = ["age", "income"]
    is_raw = True
    model_task = "regression"
    global_importance_rank = np.array([1, 0])
    local_importance_values = np.array([[0.25, -0.5]])

    def get_ranked_global_names(self) -> Any:
        return np.array(["income", "age"])

    def get_ranked_global_values(self) -> Any:
        return [np.float64(0.5), np.float64(0.25)]

    def get_ranked_per_class_names(self) -> Any:
        raise NotImplementedError("a regression has no classes")


@pytest.fixture
def run(workspace: Workspace, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)
    return Experiment(workspace, "explained").start_logging(snapshot_directory=None)


def test_an_explanation_comes_back_as_it_was(run: Run) -> None:
    client = ExplanationClient.from_run(run)
    identity = client.upload_model_explanation(Found(), comment="the first", model_id="model:1")
    run.complete()
    again = ExplanationClient.from_run_id(run.experiment.workspace, "explained", run.id)
    assert again.list_model_explanations() == [
        {
            "id": identity,
            "comment": "the first",
            "model_id": "model:1",
            "method": None,
            "model_task": "regression",
            "is_raw": True,
            "is_engineered": False,
        }
    ]
    found = again.download_model_explanation()
    assert found.get_feature_importance_dict() == {"income": 0.5, "age": 0.25}
    assert found.get_ranked_global_names(top_k=1) == ["income"]
    assert (found.features, found.local_importance_values) == (["age", "income"], [[0.25, -0.5]])
    with pytest.raises(ValueError, match="without what get_ranked_per_class_names gives"):
        found.get_ranked_per_class_names()


def test_one_of_several_must_be_named(run: Run, caplog: pytest.LogCaptureFixture) -> None:
    client = ExplanationClient.from_run(run)
    with pytest.raises(UserErrorException, match="has 0 explanations"):
        client.download_model_explanation()
    with caplog.at_level(logging.WARNING, "penstock"):
        first, second = (client.upload_model_explanation(Found(), comment=text, upload_datasets=text == "b") for text in ("a", "b"))
    assert "is not kept with it" in caplog.text
    with pytest.raises(UserErrorException, match=f"(?s)2 explanations.*{first}"):
        client.download_model_explanation()
    assert client.download_model_explanation(comment="b").id == second
    assert client.download_model_explanation(explanation_id=first, top_k=1).get_feature_importance_dict() == {"income": 0.5}
    assert client.list_model_explanations(raw=False) == []


def test_a_client_belongs_to_a_run() -> None:
    with pytest.raises(ValueError, match="from_run"):
        ExplanationClient()
