"""The environment variables of a step: v1's names, and ours."""

from __future__ import annotations

import json
import os
import secrets
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from penstock.client.home import Home
from penstock.model.graph import LOCAL, StepNode, variable_name
from penstock.operations.mlflow.addresses import find_token
from penstock.persistence.database import Row

# Of the service's own environment these do not reach a step: they say how the service runs.
_PRIVATE = ("PENSTOCK_", "AZUREML_", "AML_PARAMETER_", "MLFLOW_TRACKING_", "MLFLOW_RUN_ID", "MLFLOW_EXPERIMENT_")
_OF_A_SHELL = {"VIRTUAL_ENV", "CONDA_PREFIX", "CONDA_DEFAULT_ENV", "PYTHONHOME", "OLDPWD", "_"}  # of the shell that started the service

# Variables without which a process is not itself; no dataset's name replaces one.
_OF_EVERY_PROCESS = {"PATH", "HOME", "USER", "LOGNAME", "SHELL", "PWD", "TMPDIR", "LANG", "LD_LIBRARY_PATH", "PYTHONPATH", "PYTHONHOME"}
_OF_CONTAINERS = {"USER", "LOGNAME", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"}


def inherited(interpreter: str) -> dict[str, str]:
    """Return the part of the service's environment that steps get; `python` on their PATH is the step's own interpreter."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(_PRIVATE) and name not in _OF_A_SHELL}
    folder = os.path.dirname(interpreter)
    return {**environment, "PATH": os.pathsep.join([folder, environment.get("PATH", os.defpath)])}


def of_containers() -> dict[str, str]:
    """Return the part of the service's environment that steps in containers get: who its user is, and the way to the network."""
    return {name: value for name, value in os.environ.items() if name.upper() in _OF_CONTAINERS}


def identity(home: Home, run: Row, workspace: Row, experiment: Row) -> dict[str, str]:
    """Return the variables by which a script finds its run, and the run its service."""
    return {
        "AZUREML_RUN_ID": run["id"],
        "AZUREML_ROOT_RUN_ID": run["root_run_id"],
        **({"AZUREML_PARENT_RUN_ID": run["parent_run_id"]} if run["parent_run_id"] else {}),
        "AZUREML_ARM_SUBSCRIPTION": workspace["subscription_id"],
        "AZUREML_ARM_RESOURCEGROUP": workspace["resource_group"],
        "AZUREML_ARM_WORKSPACE_NAME": workspace["name"],
        "AZUREML_ARM_PROJECT_NAME": experiment["name"],
        "AZUREML_EXPERIMENT_ID": experiment["id"],
        "AZUREML_WORKSPACE_ID": workspace["id"],
        "AZUREML_RUN_TOKEN": find_token(home, run) or secrets.token_urlsafe(24),
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


def directly(environment: dict[str, str]) -> dict[str, str]:
    """Return the environment with the service's own address left out of what goes through a proxy, where there is one."""
    proxied = {name.upper() for name in environment} & {"HTTP_PROXY", "ALL_PROXY"}
    names = [name for name in ("no_proxy", "NO_PROXY") if name in environment] or ["no_proxy", "NO_PROXY"]
    return {**environment, **{name: ",".join(filter(None, [environment.get(name), "127.0.0.1"])) for name in names if proxied}}


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
        "AZUREML_TARGET_TYPE": str(step.compute.type if step.compute and step.compute.type else LOCAL),
        **variables,
    }


def values(paths: Mapping[str, str], parameters: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that hold the paths of ports and the values of parameters."""
    return {
        **{f"AZUREML_DATAREFERENCE_{name}": path for name, path in paths.items()},
        **{f"AML_PARAMETER_{variable_name(name)}": value for name, value in parameters.items()},
    }


def datasets(step: StepNode, inputs: Mapping[str, str], outputs: Mapping[str, str], written: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Return the variables by which a script finds its datasets: what it reads, where it writes, and what else is done for it."""
    consumed = [port for port in step.inputs if port.dataset is not None]
    made = [port for port in step.outputs if port.destination is not None]
    linked = [port.name for port in step.outputs if port.mode == "link"]
    named = {name: inputs[port.name] for port in consumed for name in (port.name.upper(), port.name)}
    named.update({port.name: outputs[port.name] for port in made})
    lists = {
        "AZUREML_DATASET_ENVIRONMENT_VARS": ",".join(f"{port.name}:{port.mode}" for port in consumed),
        "AZUREML_DATASET_FILE_OUTPUTS": ";".join(port.name for port in made),
        "AZUREML_LINK_DATASET_OUTPUTS": ";".join(linked),
        "PENSTOCK_WRITTEN_INPUTS": json.dumps(written) if written else "",
    }
    return {
        **{name: value for name, value in named.items() if name not in _OF_EVERY_PROCESS},
        **{f"AZURE_ML_INPUT_{port.name}": inputs[port.name] for port in consumed},
        **{f"AZURE_ML_OUTPUT_{port.name}": outputs[port.name] for port in made},
        **{name: value for name, value in lists.items() if value},
    }


def with_library(environment: dict[str, str], library: str) -> dict[str, str]:
    """Return the environment with our packages on the path, after what is there already."""
    before = environment.get("PYTHONPATH")
    return {**environment, "PYTHONPATH": f"{before}{os.pathsep}{library}" if before else library}
