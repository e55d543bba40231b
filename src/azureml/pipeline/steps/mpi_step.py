"""MPI steps: not part of this version, so the name imports and refuses to work."""

from __future__ import annotations

from azureml.core._refusal import refuse_class

MpiStep = refuse_class("azureml.pipeline.steps.mpi_step.MpiStep", "Use a PythonScriptStep that starts mpirun with subprocess.")
