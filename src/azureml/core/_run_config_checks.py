"""What a run configuration may not hold, found when it becomes part of a pipeline and not when a step starts."""

from __future__ import annotations

from typing import Any, Iterator, Mapping

from azureml.core._section import Section
from azureml.core.conda_dependencies import CondaDependencies
from azureml.exceptions import UserErrorException

_LONGEST_SECONDS = 366 * 24 * 3600


def check_run_config(run_config: Any, place: str) -> None:
    """Do nothing for a run configuration that a step can be started with.

    Args:
        run_config: The RunConfiguration.
        place: Whose it is, for the message: "Step 'train'".

    Raises:
        UserErrorException: It is not; the message names the place and the attribute.
    """
    problem = next(_problems(run_config), None)
    if problem:
        raise UserErrorException(f"{place}: {problem}")


def check_conda_dependencies(attribute: str, value: Any) -> None:
    """Do nothing for conda dependencies or None.

    Raises:
        UserErrorException: It is neither.
    """
    for problem in _conda(attribute, value):
        raise UserErrorException(problem)


def _problems(run_config: Any) -> Iterator[str]:
    yield from _variables("environment_variables", run_config.environment_variables)
    yield from _duration(run_config.max_run_duration_seconds)
    environment = run_config.environment
    if environment is not None and not isinstance(environment, Section):
        yield f"the run configuration's environment must be an Environment, not a {type(environment).__name__}."
        return
    # What follows is not in a reference to a registered environment.
    yield from _variables("environment.environment_variables", getattr(environment, "environment_variables", None))
    yield from _conda("environment.python.conda_dependencies", getattr(getattr(environment, "python", None), "conda_dependencies", None))


def _variables(attribute: str, variables: Any) -> Iterator[str]:
    if variables is None:
        return
    if not isinstance(variables, Mapping):
        yield f"the run configuration's {attribute} must be a dictionary of names and texts, not a {type(variables).__name__}."
        return
    for name, value in variables.items():
        if not isinstance(name, str) or not name or "=" in name or "\0" in name:
            yield f"{name!r} can't be a name in the run configuration's {attribute}: a name is a text without '=' and NUL, and not empty."
        elif "\0" in str(value):
            yield f"the value of '{name}' in the run configuration's {attribute} holds a NUL character."


def _duration(seconds: Any) -> Iterator[str]:
    if seconds is None:
        return
    is_number = isinstance(seconds, (int, float)) and not isinstance(seconds, bool)
    if not is_number or not 0 < seconds <= _LONGEST_SECONDS:
        yield (
            f"the run configuration's max_run_duration_seconds is {repr(seconds)[:40]}. Give a number of seconds above 0 and up to "
            f"{_LONGEST_SECONDS} (a year), or None for no limit."
        )


def _conda(attribute: str, value: Any) -> Iterator[str]:
    if value is not None and not isinstance(value, CondaDependencies):
        yield f"the run configuration's {attribute} must be CondaDependencies, not a {type(value).__name__}."
