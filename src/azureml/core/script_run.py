"""Runs of a single script."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Optional

from azureml.core.run import Run
from penstock.model.run_types import SCRIPT_RUN

if TYPE_CHECKING:
    from azureml.core.experiment import Experiment


class ScriptRun(Run):
    """A run of a single script.

    Args:
        experiment: The experiment it belongs to.
        run_id: Its id.
        directory: The source folder.
        **kwargs: Accepted and ignored, as in v1.
    """

    RUN_TYPE = SCRIPT_RUN

    def __init__(
        self, experiment: Experiment, run_id: str, directory: Optional[str] = None, _run_config: Any = None, **kwargs: Any
    ) -> None:
        super().__init__(experiment, run_id, **kwargs)
        self._directory = directory
        self._run_config_object = _run_config

    def cancel(self) -> None:
        """Ask the run to stop. It may still run for a moment afterwards."""
        super().cancel()
