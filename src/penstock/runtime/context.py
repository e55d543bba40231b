"""What a process learns about its run from its environment variables alone."""

from __future__ import annotations

import os
from typing import Dict, List, Mapping, NamedTuple, Optional, Tuple

RUN_ID = "AZUREML_RUN_ID"
SUBSCRIPTION = "AZUREML_ARM_SUBSCRIPTION"
RESOURCE_GROUP = "AZUREML_ARM_RESOURCEGROUP"
WORKSPACE_NAME = "AZUREML_ARM_WORKSPACE_NAME"
EXPERIMENT_NAME = "AZUREML_ARM_PROJECT_NAME"
RUN_FOLDER = "PENSTOCK_RUN_FOLDER"

# Without all of these a process is not inside a run.
REQUIRED = (RUN_ID, SUBSCRIPTION, RESOURCE_GROUP, WORKSPACE_NAME, EXPERIMENT_NAME)


class RunContext(NamedTuple):
    """The run that this process belongs to."""

    run_id: str
    subscription_id: str
    resource_group: str
    workspace_name: str
    experiment_name: str
    workspace_id: Optional[str]
    experiment_id: Optional[str]
    parent_run_id: Optional[str]
    root_run_id: Optional[str]
    folder: Optional[str]


def find_context(environ: Optional[Mapping[str, str]] = None) -> Optional[RunContext]:
    """Return the run that the environment describes, or None outside a run."""
    variables = os.environ if environ is None else environ
    if not all(variables.get(name) for name in REQUIRED):
        return None
    return RunContext(
        run_id=variables[RUN_ID],
        subscription_id=variables[SUBSCRIPTION],
        resource_group=variables[RESOURCE_GROUP],
        workspace_name=variables[WORKSPACE_NAME],
        experiment_name=variables[EXPERIMENT_NAME],
        workspace_id=variables.get("AZUREML_WORKSPACE_ID"),
        experiment_id=variables.get("AZUREML_EXPERIMENT_ID"),
        parent_run_id=variables.get("AZUREML_PARENT_RUN_ID"),
        root_run_id=variables.get("AZUREML_ROOT_RUN_ID"),
        folder=variables.get(RUN_FOLDER),
    )


def dataset_inputs(environ: Optional[Mapping[str, str]] = None) -> List[Tuple[str, str, str]]:
    """Return (name, mode, value) of each dataset input: a path, or the dataset's id in direct mode."""
    variables = os.environ if environ is None else environ
    inputs = []
    for item in variables.get("AZUREML_DATASET_ENVIRONMENT_VARS", "").split(","):
        name, _, mode = item.strip().partition(":")
        if name:
            inputs.append((name, mode or "direct", _value(variables, "AZURE_ML_INPUT_", name)))
    return inputs


def dataset_outputs(environ: Optional[Mapping[str, str]] = None) -> Dict[str, str]:
    """Return the local path of each file output by its name."""
    variables = os.environ if environ is None else environ
    names = [name.strip() for name in variables.get("AZUREML_DATASET_FILE_OUTPUTS", "").split(";")]
    return {name: _value(variables, "AZURE_ML_OUTPUT_", name) for name in names if name}


def _value(variables: Mapping[str, str], prefix: str, name: str) -> str:
    """What stands behind a name. The variable of the bare name may be one that every process has, such as HOME."""
    return variables.get(prefix + name) or variables.get(name, "")


def link_outputs(environ: Optional[Mapping[str, str]] = None) -> List[str]:
    """Return the names of outputs that the script links to a dataset."""
    variables = os.environ if environ is None else environ
    return [name.strip() for name in variables.get("AZUREML_LINK_DATASET_OUTPUTS", "").split(";") if name.strip()]
