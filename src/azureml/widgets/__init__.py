"""Shows how a run is doing: live in a terminal, as a table in a notebook, in a few lines anywhere else."""

from azureml.widgets._run_details import RunDetails

__all__ = ["RunDetails"]
