"""The environment variables of a step: v1's names, and ours."""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Mapping
from typing import Any

from penstock.client.home import Home
from penstock.model.graph import StepNode, variable_name
from penstock.persistence.database import Row

# Of the service's own environment these do not reach a step: they say how the service runs.
_PRIVATE = ("PENSTOCK_", "AZUREML_", "AML_PARAMETER_")
_OF_A_SHELL = {"VIRTUAL_ENV", "CONDA_PREFIX", "CONDA_DEFAULT_ENV", "PYTHONHOME", "OLDPWD", "_"}  # of the shell that started the service


def inherited(interpreter: str) -> dict[str, str]:
    """Return the part of the service's environment that steps get; `python` on their PATH is the step's own interpreter."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(_PRIVATE) and name not in _OF_A_SHELL}
    folder = os.path.dirname(interpreter)
    return {**environment, "PATH": os.pathsep.join([folder, environment.get("PATH", os.defpath)])}


def identity(home: Home, run: Row, workspace: Row, experiment: Row) -> dict[str, str]:
    """Return the variables by which a script finds its run, and the run its service."""
    return {
        "AZUREML_RUN_ID": run["id"],
        "AZUREML_ROOT_RUN_ID": run["root_run_id"],
        "AZUREML_PARENT_RUN_ID": run["parent_run_id"],
        "AZUREML_ARM_SUBSCRIPTION": workspace["subscription_id"],
        "AZUREML_ARM_RESOURCEGROUP": workspace["resource_group"],
        "AZUREML_ARM_WORKSPACE_NAME": workspace["name"],
        "AZUREML_ARM_PROJECT_NAME": experiment["name"],
        "AZUREML_EXPERIMENT_ID": experiment["id"],
        "AZUREML_WORKSPACE_ID": workspace["id"],
        "AZUREML_RUN_TOKEN": secrets.token_urlsafe(24),
        "AZUREML_RUN_TOKEN_EXPIRY": "4102444800",
        "AZUREML_SERVICE_ENDPOINT": f"unix://{home.socket}",
        "AZUREML_DISCOVERY_SERVICE_ENDPOINT": f"unix://{home.socket}",
        "AZUREML_OUTPUT_DIRECTORY": "./outputs",
        "AZUREML_LOGDIRECTORY_PATH": "./logs",
        "PENSTOCK_HOME": str(home.path),
        "PENSTOCK_RUN_FOLDER": str(home.run_folder(run["id"])),
        "PENSTOCK_SERVICE_PYTHON": sys.executable,  # a step that outlives the service starts the next one with this
        "PYTHONUNBUFFERED": "1",
    }


def settings_of(step: StepNode, node_count: Any) -> dict[str, str]:
    """Return what the run configuration says: user's variables, framework, node count."""
    config = step.run_config
    asked = (config.get("environment") or {}).get("environmentVariables") or {}
    variables = {name: str(value) for name, value in {**asked, **(config.get("environmentVariables") or {})}.items()}
    variables.pop("EXAMPLE_ENV_VAR", None)  # v1's default of every environment object; it says nothing
    return {
        "AZUREML_FRAMEWORK": str(config.get("framework") or "Python"),
        "AZUREML_COMMUNICATOR": str(config.get("communicator") or "None"),
        "AZUREML_NODE_COUNT": str(node_count or config.get("nodeCount") or 1),
        "AZUREML_TARGET_TYPE": str(step.compute.type if step.compute and step.compute.type else "local"),
        **variables,
    }


def values(paths: Mapping[str, str], parameters: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that hold the paths of ports and the values of parameters."""
    return {
        **{f"AZUREML_DATAREFERENCE_{name}": path for name, path in paths.items()},
        **{f"AML_PARAMETER_{variable_name(name)}": value for name, value in parameters.items()},
    }


def with_library(environment: dict[str, str], library: str) -> dict[str, str]:
    """Return the environment with our packages on the path, after what is there already."""
    before = environment.get("PYTHONPATH")
    return {**environment, "PYTHONPATH": f"{before}{os.pathsep}{library}" if before else library}
