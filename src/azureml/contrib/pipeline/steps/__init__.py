"""The place where ParallelRunStep was first, with the arguments that it had there."""

from __future__ import annotations

from typing import Any, Optional, Sequence

from azureml.pipeline.steps.parallel_run_config import ParallelRunConfig as _Config
from azureml.pipeline.steps.parallel_run_step import ParallelRunStep as _Step

__all__ = ["ParallelRunConfig", "ParallelRunStep"]


class ParallelRunConfig(_Config):
    """How a module is run over the parts of a large input.

    Args:
        *args: Those of azureml.pipeline.steps.ParallelRunConfig.
        input_format: Kept; the inputs themselves say what they are.
        **kwargs: Those of azureml.pipeline.steps.ParallelRunConfig.
    """

    def __init__(self, *args: Any, input_format: Optional[str] = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.input_format = input_format


class ParallelRunStep(_Step):
    """A step that runs a module over the parts of a large input; see azureml.pipeline.steps.ParallelRunStep.

    Args:
        *args: Those of azureml.pipeline.steps.ParallelRunStep.
        models: Kept; the module asks for its models by name.
        tags: Kept.
        properties: Kept.
        add_parallel_run_step_dependencies: Kept.
        **kwargs: Those of azureml.pipeline.steps.ParallelRunStep.
    """

    def __init__(
        self,
        *args: Any,
        models: Optional[Sequence[Any]] = None,
        tags: Any = None,
        properties: Any = None,
        add_parallel_run_step_dependencies: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.models, self.tags, self.properties = models, tags, properties
        self.add_parallel_run_step_dependencies = add_parallel_run_step_dependencies
