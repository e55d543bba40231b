"""Runs of searches for a model. A run can be looked at as any other; what only an engine could know is refused by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Dict, Optional

from azureml.core._refusal import not_built
from azureml.core.run import Run
from penstock.model.steps import AUTOML_INSTEAD

if TYPE_CHECKING:
    from azureml.core.experiment import Experiment


def _refused(member: str) -> NotImplementedError:
    return not_built(f"Automated ML (AutoMLRun.{member})", AUTOML_INSTEAD)


class AutoMLRun(Run):
    """The run of a search; that of an AutoMLStep is the step's own run.

    Args:
        experiment: The experiment that it belongs to.
        run_id: Its id.
        **kwargs: Handed to Run.

    Attributes:
        model_id: The registered model; None, as there is none.

    Raises:
        ServiceException: There is no such run.
    """

    def __init__(self, experiment: Experiment, run_id: str, **kwargs: Any) -> None:
        super().__init__(experiment, run_id, **kwargs)
        self.model_id: Optional[str] = None

    @property
    def run_id(self) -> str:
        """Return the id."""
        return self.id

    def cancel(self) -> None:
        """Ask the run to stop."""
        super().cancel()

    def complete(self, **kwargs: Any) -> None:  # type: ignore[override]
        """Mark the run as completed.

        Args:
            **kwargs: Handed to Run.
        """
        super().complete(**kwargs)

    def fail(self, error_details: Any = None, error_code: Optional[str] = None, _set_status: bool = True, **kwargs: Any) -> None:
        """Mark the run as failed.

        Args:
            error_details: What went wrong: text or an exception.
            error_code: A word for it.
            _set_status: Whether the status changes.
            **kwargs: Accepted and ignored.
        """
        super().fail(error_details, error_code, _set_status)

    def wait_for_completion(  # type: ignore[override]
        self, show_output: bool = False, wait_post_processing: bool = False
    ) -> Dict[str, Any]:
        """Wait until the run has ended, and return its details.

        Args:
            show_output: Whether its log is printed while it grows.
            wait_post_processing: Accepted, as for Run.

        Raises:
            ActivityFailedException: The run failed.
        """
        details: Dict[str, Any] = super().wait_for_completion(show_output, wait_post_processing)
        return details

    def get_output(
        self,
        iteration: Optional[int] = None,
        metric: Optional[str] = None,
        return_onnx_model: bool = False,
        return_split_onnx_model: Any = None,
        **kwargs: Any,
    ) -> Any:
        """Refuse: no search was made, so there is no model.

        Args:
            iteration: Ignored.
            metric: Ignored.
            return_onnx_model: Ignored.
            return_split_onnx_model: Ignored.
            **kwargs: Ignored.

        Raises:
            NotImplementedError: Always.
        """
        raise _refused("get_output")

    def get_best_child(self, metric: Optional[str] = None, onnx_compatible: bool = False, **kwargs: Any) -> Any:
        """Refuse: no search was made, so there is no best one.

        Args:
            metric: Ignored.
            onnx_compatible: Ignored.
            **kwargs: Ignored.

        Raises:
            NotImplementedError: Always.
        """
        raise _refused("get_best_child")

    def summary(self) -> Any:
        """Refuse: no search was made.

        Raises:
            NotImplementedError: Always.
        """
        raise _refused("summary")

    def get_guardrails(self, to_console: bool = True) -> Any:
        """Refuse: no search was made.

        Args:
            to_console: Ignored.

        Raises:
            NotImplementedError: Always.
        """
        raise _refused("get_guardrails")

    def register_model(  # type: ignore[override]
        self,
        model_name: Optional[str] = None,
        description: Optional[str] = None,
        tags: Optional[Dict[str, str]] = None,
        iteration: Optional[int] = None,
        metric: Optional[str] = None,
    ) -> Any:
        """Refuse: no search was made, so there is no model.

        Args:
            model_name: Ignored.
            description: Ignored.
            tags: Ignored.
            iteration: Ignored.
            metric: Ignored.

        Raises:
            NotImplementedError: Always.
        """
        raise _refused("register_model")

    def cancel_iteration(self, iteration: int) -> None:
        """Refuse: no search was made.

        Args:
            iteration: Ignored.

        Raises:
            NotImplementedError: Always.
        """
        raise _refused("cancel_iteration")

    def retry(self) -> None:
        """Refuse: no search was made.

        Raises:
            NotImplementedError: Always.
        """
        raise _refused("retry")

    def pause(self) -> None:
        """Refuse: no search was made.

        Raises:
            NotImplementedError: Always.
        """
        raise _refused("pause")

    def resume(self) -> None:
        """Refuse: no search was made.

        Raises:
            NotImplementedError: Always.
        """
        raise _refused("resume")

    def continue_experiment(
        self,
        X: Any = None,  # noqa: N803  v1's name
        y: Any = None,
        sample_weight: Any = None,
        X_valid: Any = None,  # noqa: N803  v1's name
        y_valid: Any = None,
        sample_weight_valid: Any = None,
        data: Any = None,
        label: Any = None,
        columns: Any = None,
        cv_splits_indices: Any = None,
        spark_context: Any = None,
        experiment_timeout_hours: Any = None,
        experiment_exit_score: Any = None,
        iterations: Any = None,
        show_output: bool = False,
        training_data: Any = None,
        validation_data: Any = None,
        **kwargs: Any,
    ) -> Any:
        """Refuse: no search was made. All arguments are ignored.

        Raises:
            NotImplementedError: Always.
        """
        raise _refused("continue_experiment")

    def get_run_sdk_dependencies(self, iteration: Optional[int] = None, check_versions: bool = True, **kwargs: Any) -> Any:
        """Refuse: no search was made.

        Args:
            iteration: Ignored.
            check_versions: Ignored.
            **kwargs: Ignored.

        Raises:
            NotImplementedError: Always.
        """
        raise _refused("get_run_sdk_dependencies")


__all__ = ["AutoMLRun"]
