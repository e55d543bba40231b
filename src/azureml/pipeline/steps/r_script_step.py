"""R script steps: not part of this version, so the name imports and refuses to work."""

from __future__ import annotations

from azureml.core._refusal import refuse_class

R_DEFAULT_IMAGE_FOR_CPU = "mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu20.04"
R_DEFAULT_IMAGE_FOR_GPU = "mcr.microsoft.com/azureml/openmpi4.1.0-cuda11.1-cudnn8-ubuntu20.04"

RScriptStep = refuse_class("azureml.pipeline.steps.r_script_step.RScriptStep", "Use a PythonScriptStep that runs Rscript with subprocess.")
