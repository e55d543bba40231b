"""The step that searches for a model. It takes its place in a pipeline, and fails when its turn comes: there is no engine for it."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING, Any, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple

from azureml.data.dataset_consumption_config import TABULAR, DatasetConsumptionConfig, dataset_type
from azureml.data.output_dataset_config import OutputDatasetConfig
from azureml.pipeline.core._arguments import is_produced
from azureml.pipeline.core._bindings import TrainingOutput
from azureml.pipeline.core._graph_context import ModuleBuilder
from azureml.pipeline.core._settings import describe_training_outputs, to_settings
from azureml.pipeline.core.builder import PipelineData, PipelineStep
from azureml.pipeline.core.pipeline_output_dataset import PipelineOutputAbstractDataset
from azureml.train.automl.automlconfig import AutoMLConfig
from azureml.train.automl.run import AutoMLRun

if TYPE_CHECKING:
    from azureml.pipeline.core._nodes import ModuleNode
    from azureml.pipeline.core.run import StepRun, StepRunOutput

_LOGGER = logging.getLogger("penstock")
_DATA = ("training_data", "validation_data", "test_data", "X", "y", "sample_weight", "X_valid", "y_valid", "sample_weight_valid")
_MODEL, _METRICS = "default_model_", "default_metrics_"


class AutoMLStep(PipelineStep):
    """A step that searches for a model.

    There is no engine for it here: the step can be built and submitted, the steps that it depends on run, and then it fails with an
    error that says so. Nothing is made up.

    Args:
        name: The step's name.
        automl_config: The settings of the search. Its datasets become the step's inputs.
        inputs: What else it reads.
        outputs: What it writes.
        script_repl_params: Accepted, and without effect.
        allow_reuse: Whether the result of an earlier run may be taken; there is none.
        version: A text that forces a new definition when it changes.
        hash_paths: Deprecated, and without effect.
        enable_default_model_output: Whether it declares the output of the best model.
        enable_default_metrics_output: Whether it declares the output of the metrics.
        **kwargs: Accepted and ignored.

    Raises:
        ConfigException: The name is not a text, or the settings are not an AutoMLConfig.
        ValueError: A dataset of the settings is not tabular, or is not consumed in mode direct.
    """

    AUTOML_CONFIG_PARAM_NAME = "AutoMLConfig"
    DEFAULT_METRIC_PREFIX = _METRICS
    DEFAULT_MODEL_PREFIX = _MODEL

    def __init__(
        self,
        name: str,
        automl_config: AutoMLConfig,
        inputs: Optional[Sequence[Any]] = None,
        outputs: Optional[Sequence[Any]] = None,
        script_repl_params: Optional[Mapping[str, Any]] = None,
        allow_reuse: bool = True,
        version: Optional[str] = None,
        hash_paths: Optional[Sequence[str]] = None,
        enable_default_model_output: bool = True,
        enable_default_metrics_output: bool = True,
        **kwargs: Any,
    ) -> None:
        _check(name, automl_config)
        wanted = ((_MODEL, "Model", enable_default_model_output), (_METRICS, "Metrics", enable_default_metrics_output))
        defaults = [_default_output(prefix, name, kind) for prefix, kind, is_wanted in wanted if is_wanted]
        super().__init__(name, [*(inputs or []), *_datasets_of(automl_config, name)], [*(outputs or []), *defaults])
        self._automl_config = automl_config
        self._allow_reuse = allow_reuse
        self._version = version

    def create_node(self, graph: Any, default_datastore: Any, context: Any) -> ModuleNode:
        """Add the step's node to a graph, and return it.

        Args:
            graph: The graph.
            default_datastore: The datastore of outputs that name none.
            context: The graph's context.

        Raises:
            ValueError: The compute target does not exist.
        """
        inputs, outputs = self.create_input_output_bindings(self._inputs, self._outputs, default_datastore)
        definition = self.create_module_def("AutoMLCloud", inputs, outputs, allow_reuse=self._allow_reuse, version=self._version)
        target = context.find_target(self._automl_config.user_settings.get("compute_target"), self._place)
        builder = ModuleBuilder(definition, target=target, settings=self._settings())
        node: ModuleNode = graph.add_module_node(self.name, inputs, outputs, module_builder=builder)
        return node

    def _settings(self) -> Dict[str, Any]:
        """What is searched for, without the data and the place, which the node holds itself."""
        search = {name: value for name, value in self._automl_config.user_settings.items() if name not in (*_DATA, "compute_target")}
        return to_settings({"automl_settings": search, "training_outputs": describe_training_outputs(self._outputs)})


class AutoMLStepRun(AutoMLRun):
    """The run of an AutoMLStep, under the step run's own id.

    Args:
        step_run: The step run.

    Raises:
        ServiceException: There is no such run.
    """

    def __init__(self, step_run: StepRun) -> None:
        super().__init__(step_run.experiment, step_run.id, _record=step_run._record)
        self._step_run = step_run

    def get_default_metrics_output(self) -> StepRunOutput:
        """Return the output of the metrics.

        Raises:
            KeyError: The step declared none.
        """
        return self._step_run.get_output(_METRICS + _word(str(self._step_run.name)))

    def get_default_model_output(self) -> StepRunOutput:
        """Return the output of the best model.

        Raises:
            KeyError: The step declared none.
        """
        return self._step_run.get_output(_MODEL + _word(str(self._step_run.name)))


def _check(name: Any, config: Any) -> None:
    from azureml.train.automl.exceptions import ConfigException

    if not isinstance(name, str) or not name:
        raise ConfigException(f"The name of an AutoMLStep must be a text that is not empty, not {name!r}.")
    if not isinstance(config, AutoMLConfig):
        raise ConfigException(f"Step '{name}': automl_config must be an AutoMLConfig, not a {type(config).__name__}.")


def _word(name: str) -> str:
    return re.sub(r"\W", "_", name)


def _default_output(prefix: str, step: str, kind: str) -> PipelineData:
    name = prefix + _word(step)
    return PipelineData(name, pipeline_output_name=f"_{name}", training_output=TrainingOutput(kind))


def _datasets_of(config: AutoMLConfig, step: str) -> List[Any]:
    return [_as_input(name, data, step) for name, data in _given(config) if dataset_type(data) is not None or is_produced(data)]


def _given(config: AutoMLConfig) -> Iterator[Tuple[str, Any]]:
    for name in _DATA:
        data = config.user_settings.get(name)
        if data is not None:
            yield name, data


def _as_input(name: str, data: Any, step: str) -> Any:
    """The input that a dataset of the settings becomes, under the setting's name."""
    if isinstance(data, PipelineData):
        return data.as_input(name)
    if dataset_type(data) != TABULAR or (isinstance(data, DatasetConsumptionConfig) and data.mode != "direct"):
        raise ValueError(
            f"Step '{step}': {name} must be a tabular dataset, consumed in mode direct, not a {type(data).__name__}. "
            "Use Dataset.Tabular, or parse_delimited_files() and its like on what another step writes."
        )
    if isinstance(data, DatasetConsumptionConfig):
        if data.name != name:
            _LOGGER.warning("The input '%s' of step '%s' is named '%s', after the setting that holds it.", data.name, step, name)
        return DatasetConsumptionConfig(name, data.dataset)
    if isinstance(data, PipelineOutputAbstractDataset):
        return data.as_named_input(name)
    return data.as_input(name) if isinstance(data, OutputDatasetConfig) else DatasetConsumptionConfig(name, data)


__all__ = ["AutoMLStep", "AutoMLStepRun"]
