"""v1's names for what a run is the run of; scripts filter by them. A run that its client drives has any type, or none."""

PIPELINE_RUN = "azureml.PipelineRun"
STEP_RUN = "azureml.StepRun"
SCRIPT_RUN = "azureml.scriptrun"
