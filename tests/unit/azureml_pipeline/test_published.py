"""Published pipelines without a service: what they show."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from azureml.pipeline.core import PipelineRun, PublishedPipeline
from azureml.pipeline.core._restclients.aeva.models.error_response import ErrorResponseException
from penstock.model.errors import Unavailable


class Nowhere:
    """A client of a service that can't listen."""

    def rest_address(self, *words: Any) -> str:
        raise Unavailable("Nothing can listen on 127.0.0.1 here.")


WORKSPACE = SimpleNamespace(_client=Nowhere(), _id="w", name="ws", subscription_id="sub", resource_group="group")


def make(endpoint: Any) -> PublishedPipeline:
    return PublishedPipeline("n", "g", "d", "1", "p", "Active", endpoint, 3, WORKSPACE, True, None, anything="ignored")


def test_it_is_made_of_what_v1_gave() -> None:
    made = make("http://there")
    assert (made.name, made.graph_id, made.description, made.version, made.id, made.status) == ("n", "g", "d", "1", "p", "Active")
    assert (made.endpoint, made.total_run_steps, made.continue_on_step_failure, made.workspace) == ("http://there", 3, True, WORKSPACE)
    assert PublishedPipeline.__module__ == "azureml.pipeline.core.graph"


def test_showing_it_never_fails() -> None:
    made = make(None)
    with pytest.raises(ErrorResponseException, match="Nothing can listen") as caught:
        assert made.endpoint
    assert caught.value.status_code == 503
    assert str(made).endswith("Endpoint: Nothing can listen on 127.0.0.1 here.)")
    assert "Nothing can listen" in made._repr_html_()


def test_pipeline_runs_still_know_one_keyword_only() -> None:
    with pytest.raises(TypeError):
        PipelineRun.publish_pipeline(None, "name")  # type: ignore[call-arg, arg-type]
