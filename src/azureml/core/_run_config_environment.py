"""The environment of a run configuration that only names it."""

from __future__ import annotations

from typing import Any

from azureml.core.environment import EnvironmentReference


def resolve_environment(run_config: Any, workspace: Any) -> Any:
    """Return a run configuration; where it refers to a registered environment, a copy that holds that environment.

    Raises:
        Exception: The workspace has no such environment; see `Environment.get`.
    """
    if not isinstance(run_config.environment, EnvironmentReference):
        return run_config
    import copy

    resolved = copy.copy(run_config)
    resolved.environment = run_config.environment.get_environment(workspace)
    return resolved
