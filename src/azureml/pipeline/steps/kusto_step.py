"""The step that runs a query of Data Explorer. It takes its place in a pipeline; this version can't run it."""

from __future__ import annotations

import os
from typing import Any, Mapping, Optional

from azureml.pipeline.core._bindings import OutputPortBinding
from azureml.pipeline.core.builder import PipelineData
from azureml.pipeline.steps._described_step import DescribedStep, need_kind, need_text


class KustoStep(DescribedStep):
    """A step that runs a query of Data Explorer.

    It can be built, drawn and written to YAML. Nothing here can run it: a pipeline that has one is refused when it is submitted or
    published.

    Args:
        name: The step's name.
        compute_target: The name of a KustoCompute.
        database_name: The database.
        query_directory: The folder with the one file of the query.
        output: What the result is written to.
        parameter_dict: Values of the query's parameters.
        allow_reuse: Whether the result of an earlier run may be taken when nothing has changed. Not by default: databases change.

    Raises:
        ValueError: An argument is missing or of the wrong type, or there is no such folder.
    """

    _kind, _execution_type = "KustoStep", "KustoCloud"

    def __init__(
        self,
        name: str,
        compute_target: str,
        database_name: str,
        query_directory: str,
        output: Any,
        parameter_dict: Optional[Mapping[str, Any]] = None,
        allow_reuse: bool = False,
    ) -> None:
        need_text("a KustoStep", name=name, compute_target=compute_target, database_name=database_name, query_directory=query_directory)
        place = f"Step '{name}'"
        if not isinstance(output, (PipelineData, OutputPortBinding)):
            raise ValueError(f"{place}: output must be PipelineData or an OutputPortBinding, not a {type(output).__name__}.")
        need_kind(place, Mapping, "a dictionary", parameter_dict=parameter_dict)
        if not os.path.isdir(query_directory):
            raise ValueError(f"{place}: the query_directory '{query_directory}' is not a folder.")
        super().__init__(
            name,
            compute_target,
            {"database_name": database_name, "parameter_dict": parameter_dict},
            outputs=[output],
            source_directory=query_directory,
            allow_reuse=allow_reuse,
        )


__all__ = ["KustoStep"]
