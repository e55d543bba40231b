"""v1's estimators of deep learning frameworks, and the ways in which their processes talk to each other."""

from __future__ import annotations

from typing import Any, Mapping, Optional

from azureml.train._distribution import DistributedTraining, Gloo, Mpi, Nccl, ParameterServer, choose
from azureml.train._framework_estimator import FrameworkEstimator

__all__ = ["Chainer", "Gloo", "Mpi", "Nccl", "ParameterServer", "PyTorch", "TensorFlow"]


class PyTorch(FrameworkEstimator):
    """A PyTorch script. The arguments are those of Estimator, and `framework_version`."""

    FRAMEWORK_NAME = "PyTorch"
    DEFAULT_VERSION = "1.4"
    _SUPPORTED = ("1.0", "1.1", "1.2", "1.3", "1.4", "1.5", "1.6")
    _PACKAGE = "torch"
    _COMPANIONS = ("torchvision",)
    _BACKENDS = ("mpi", "gloo", "nccl")


class TensorFlow(FrameworkEstimator):
    """A TensorFlow script. The arguments are those of Estimator, and `framework_version`.

    Args:
        source_directory: The folder that travels with the run.
        worker_count: The old form of `distributed_training=ParameterServer(worker_count, ...)`.
        parameter_server_count: The same.
        **kwargs: All else.
    """

    FRAMEWORK_NAME = "TensorFlow"
    DEFAULT_VERSION = "1.13"
    _SUPPORTED = ("1.10", "1.12", "1.13", "2.0", "2.1", "2.2")
    _PACKAGE = "tensorflow"
    _BACKENDS = ("mpi", "ps")

    def __init__(
        self, source_directory: str, *, worker_count: Optional[int] = None, parameter_server_count: Optional[int] = None, **kwargs: Any
    ) -> None:
        self._server_counts = (worker_count, parameter_server_count)
        super().__init__(source_directory, **kwargs)

    def _choose_distribution(self, given: Mapping[str, Any], processes: int) -> Optional[DistributedTraining]:
        if str(given["distributed_backend"]).lower() == ParameterServer.name and given["distributed_training"] is None:
            workers, servers = self._server_counts
            return ParameterServer(1 if workers is None else workers, 1 if servers is None else servers)
        return choose(given["distributed_training"], given["distributed_backend"], processes, self._BACKENDS, self._name())

    def _package(self, use_gpu: bool) -> str:
        """Before 2.0, what can use a GPU was a package of its own."""
        return "tensorflow-gpu" if use_gpu and str(self.framework_version).startswith("1.") else self._PACKAGE


class Chainer(FrameworkEstimator):
    """A Chainer script. The arguments are those of Estimator, and `framework_version`."""

    FRAMEWORK_NAME = "Chainer"
    DEFAULT_VERSION = "7.0.0"
    _SUPPORTED = ("5.1.0", "7.0.0")
    _PACKAGE = "chainer"
