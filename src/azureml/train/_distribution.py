"""Several processes for one estimator: v1's distributed settings, and what they mean in a run configuration."""

from __future__ import annotations

from typing import Any, Optional, Sequence

from azureml.core.runconfig import MpiConfiguration, PyTorchConfiguration, RunConfiguration, TensorflowConfiguration
from azureml.exceptions import TrainingException


class DistributedTraining:
    """Base of the ways in which the processes of an estimator talk to each other."""

    name = ""

    def _apply(self, run_config: RunConfiguration, node_count: int) -> None:
        raise TypeError("Use Mpi, Nccl, Gloo or ParameterServer.")


class Mpi(DistributedTraining):
    """Processes that talk through MPI.

    Args:
        process_count_per_node: How many of them each node has.
    """

    name = "mpi"

    def __init__(self, process_count_per_node: int = 1) -> None:
        self.process_count_per_node = check_count("process_count_per_node", process_count_per_node)

    def _apply(self, run_config: RunConfiguration, node_count: int) -> None:
        run_config.framework, run_config.communicator = "Python", "IntelMpi"
        run_config.mpi = MpiConfiguration(self.process_count_per_node, node_count)
        run_config.node_count = node_count


class _Collective(DistributedTraining):
    def _apply(self, run_config: RunConfiguration, node_count: int) -> None:
        run_config.framework, run_config.communicator = "PyTorch", self.name.capitalize()
        run_config.pytorch = PyTorchConfiguration(self.name, node_count, node_count)
        run_config.node_count = node_count


class Nccl(_Collective):
    """PyTorch processes that talk through NCCL, one on each node."""

    name = "nccl"

    def __init__(self) -> None:
        pass


class Gloo(_Collective):
    """PyTorch processes that talk through Gloo, one on each node."""

    name = "gloo"

    def __init__(self) -> None:
        pass


class ParameterServer(DistributedTraining):
    """TensorFlow workers, and servers that hold their parameters.

    Args:
        worker_count: How many workers.
        parameter_server_count: How many servers.
    """

    name = "ps"

    def __init__(self, worker_count: int = 1, parameter_server_count: int = 1) -> None:
        self.worker_count = check_count("worker_count", worker_count)
        self.parameter_server_count = check_count("parameter_server_count", parameter_server_count)

    def _apply(self, run_config: RunConfiguration, node_count: int) -> None:
        run_config.framework, run_config.communicator = "TensorFlow", "ParameterServer"
        run_config.tensorflow = TensorflowConfiguration(self.worker_count, self.parameter_server_count)
        run_config.node_count = max(node_count, self.worker_count)


KINDS = {"mpi": Mpi, "nccl": Nccl, "gloo": Gloo, "ps": ParameterServer}


def check_count(name: str, count: Any) -> int:
    """Return a number of nodes or processes.

    Raises:
        TrainingException: It is no whole number above 0.
    """
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        raise TrainingException(f"{name} must be a whole number above 0, not {count!r}.")
    return count


def choose(training: Any, backend: Optional[str], process_count: int, allowed: Sequence[str], owner: str) -> Optional[DistributedTraining]:
    """Return how an estimator's processes talk to each other; None when nothing is said of it.

    Args:
        training: What `distributed_training` says.
        backend: What the older `distributed_backend` says: a word.
        process_count: Processes on a node, as the older argument says.
        allowed: The words that this estimator knows.
        owner: The estimator's name, for messages.

    Raises:
        TrainingException: Both are given, or it is none that this estimator knows.
    """
    if training is not None and backend is not None:
        raise TrainingException(f"{owner}: give distributed_training or distributed_backend, not both.")
    if backend is not None:
        word = str(backend).lower()
        if word not in allowed:
            raise TrainingException(f"{owner}: distributed_backend can't be {backend!r}. It may be: {', '.join(allowed)}.")
        return Mpi(process_count) if word == Mpi.name else KINDS[word]()
    found = _of_run_configuration(training)
    if found is not None and (not isinstance(found, DistributedTraining) or found.name not in allowed):
        kinds = " or ".join(f"{KINDS[word].__name__}()" for word in allowed)
        raise TrainingException(f"{owner}: distributed_training must be {kinds}, not {type(training).__name__}.")
    return found


def _of_run_configuration(training: Any) -> Any:
    """Scripts also give what a ScriptRunConfig takes."""
    if isinstance(training, MpiConfiguration):
        return Mpi(training.process_count_per_node)
    if isinstance(training, TensorflowConfiguration):
        return ParameterServer(training.worker_count, training.parameter_server_count)
    return KINDS[training.communication_backend]() if isinstance(training, PyTorchConfiguration) else training
