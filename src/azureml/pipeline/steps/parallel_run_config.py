"""How a module is run over the parts of a large input."""

from __future__ import annotations

import json
import os
import re
from typing import Any, Callable, Dict, Mapping, Optional

from azureml.core.environment import Environment
from azureml.pipeline.core._parameters import PipelineParameter

_KEY = "parallel_run_config"
_ACTIONS = ("append_row", "summary_only")
_LEVELS = ("WARNING", "INFO", "DEBUG")
_SIZE = re.compile(r"(\d+)(?:([kmg])b)?", re.IGNORECASE)
_UNITS = {"k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
_NOT_IN_A_FILE_NAME = set('~"#%&*:<>?/\\{|}')
# What a file may say beside the environment, in the order in which it is written.
_IN_FILES = (
    "mini_batch_size",
    "partition_keys",
    "error_threshold",
    "allowed_failed_count",
    "allowed_failed_percent",
    "output_action",
    "logging_level",
    "node_count",
    "process_count_per_node",
    "entry_script",
    "source_directory",
    "description",
    "run_invocation_timeout",
    "run_max_try",
    "append_row_file_name",
    "environment_variables",
)
_SUBJECT = "The ParallelRunConfig"


class ParallelRunConfig:
    """How a module is run over the parts of a large input.

    Args:
        environment: The environment of its processes.
        entry_script: The module, relative to `source_directory`, with a function run(mini_batch).
        error_threshold: So many items may fail; -1 means any number.
        output_action: append_row collects what run() returns in one file, summary_only only counts it.
        compute_target: A compute target or its name.
        node_count: How many nodes.
        process_count_per_node: How many processes on each; None leaves that to the service.
        mini_batch_size: The number of files, or for tables the approximate bytes (10, "10KB"), that one call of run() gets.
        source_directory: The folder of the module; None means the pipeline's default, or the current folder.
        description: A text for people.
        logging_level: WARNING, INFO or DEBUG.
        run_invocation_timeout: The longest time of one call of run(), in seconds.
        run_max_try: How often a mini batch is tried.
        append_row_file_name: The file that append_row writes; None means parallel_run_step.txt.
        allowed_failed_count: So many mini batches may fail; -1 means any number.
        allowed_failed_percent: So many of a hundred mini batches may fail.
        partition_keys: The keys by which the input is divided, instead of `mini_batch_size`.
        environment_variables: Variables that the processes see.

    node_count, process_count_per_node, mini_batch_size, logging_level, run_invocation_timeout, run_max_try and partition_keys may be
    pipeline parameters. Their defaults are checked; that of partition_keys is the JSON text of a list.

    Raises:
        ValueError: A value is not allowed; the message names it.
    """

    def __init__(
        self,
        environment: Environment,
        entry_script: str,
        error_threshold: int,
        output_action: str,
        compute_target: Any,
        node_count: Any,
        process_count_per_node: Any = None,
        mini_batch_size: Any = None,
        source_directory: Optional[str] = None,
        description: Optional[str] = None,
        logging_level: Any = "INFO",
        run_invocation_timeout: Any = 60,
        run_max_try: Any = 3,
        append_row_file_name: Optional[str] = None,
        allowed_failed_count: Optional[int] = None,
        allowed_failed_percent: Optional[float] = None,
        partition_keys: Any = None,
        environment_variables: Optional[Mapping[str, str]] = None,
    ) -> None:
        if not isinstance(environment, Environment):
            raise ValueError(f"{_SUBJECT} needs an Environment, not {_shown(environment)}.")
        if compute_target is None:
            raise ValueError(f"{_SUBJECT} needs a compute_target: a compute target or its name.")
        self.environment = environment
        self.entry_script = _stripped("entry_script", entry_script)
        self.source_directory = None if source_directory is None else _stripped("source_directory", source_directory)
        self.description = description
        self.compute_target = compute_target
        self.error_threshold = _whole("error_threshold", error_threshold, -1)
        self.output_action = _one_of("output_action", output_action, _ACTIONS)
        self.node_count = _checked(node_count, lambda value: _nodes(value, compute_target))
        self.process_count_per_node = _checked(process_count_per_node, lambda value: _whole("process_count_per_node", value, 1))
        self.mini_batch_size = _checked(mini_batch_size, _parse_size)
        self.logging_level = _checked(logging_level, lambda value: _one_of("logging_level", value, _LEVELS))
        self.run_invocation_timeout = _checked(run_invocation_timeout, lambda value: _whole("run_invocation_timeout", value, 1))
        self.run_max_try = _checked(run_max_try, lambda value: _whole("run_max_try", value, 1))
        self.append_row_file_name = _file_name(append_row_file_name) if self.output_action == "append_row" else append_row_file_name
        self.allowed_failed_count = _checked(allowed_failed_count, lambda value: _whole("allowed_failed_count", value, -1))
        self.allowed_failed_percent = _checked(allowed_failed_percent, _percent)
        self.partition_keys = _keys(partition_keys)
        self.environment_variables = environment_variables
        if partition_keys is not None and mini_batch_size is not None:
            raise ValueError(f"{_SUBJECT} has partition_keys and mini_batch_size. Give one of them: each says how the input is divided.")

    @property
    def environment_variables(self) -> Dict[str, str]:
        """Return the variables that the processes see."""
        return self._environment_variables

    @environment_variables.setter
    def environment_variables(self, environment_variables: Optional[Mapping[str, str]]) -> None:
        if environment_variables is not None and not isinstance(environment_variables, Mapping):
            raise ValueError(f"{_SUBJECT}'s environment_variables must be a dictionary, not {_shown(environment_variables)}.")
        self._environment_variables = dict(environment_variables or {})

    def __repr__(self) -> str:
        return f"ParallelRunConfig(entry_script={self.entry_script!r}, output_action={self.output_action!r})"

    # Files

    def save_to_yaml(self, path: str) -> None:
        """Write the configuration to a file. A pipeline parameter is written as its default.

        Args:
            path: The file.
        """
        from azureml.core._yaml_text import format_yaml

        shown = {name: _default_of(getattr(self, name)) for name in _IN_FILES}
        target = self.compute_target
        shown["compute_target_name"] = target if isinstance(target, str) else getattr(target, "name", None) or target[0]
        shown["environment"] = self.environment._to_document()
        with open(path, "w", encoding="utf-8") as stream:
            stream.write(format_yaml({_KEY: shown}))

    @staticmethod
    def load_yaml(workspace: Any, path: str) -> ParallelRunConfig:
        """Return the configuration in a file.

        The environment is inline, in a file that `environment` names, in the folder `environment_dir_path`, or registered as
        `environment_name`.

        Args:
            workspace: The workspace of the compute target and of a registered environment.
            path: The file. Other paths in it are relative to the current folder, or to the file's.

        Raises:
            ValueError: The file holds no configuration, names no environment, or a value in it is not allowed.
            FileNotFoundError: There is no such file.
        """
        from azureml.core._yaml_text import parse_yaml, read_text

        return load_document(workspace, parse_yaml(read_text(path), path), path)


def load_document(workspace: Any, document: Any, path: str) -> ParallelRunConfig:
    """Return the configuration that the content of a YAML file describes; see `ParallelRunConfig.load_yaml`."""
    from azureml.core._places import Places

    about = document.get(_KEY) if isinstance(document, Mapping) else None
    if not isinstance(about, Mapping):
        raise ValueError(f"'{path}' holds no configuration of a parallel run: its top key must be '{_KEY}', with the settings below it.")
    missing = [name for name in ("entry_script", "error_threshold", "output_action", "node_count") if about.get(name) is None]
    missing += [] if about.get("compute_target_name") else ["compute_target_name"]
    if missing:
        raise ValueError(f"'{path}': {_KEY} lacks {', '.join(missing)}.")
    given = {name: about[name] for name in _IN_FILES if about.get(name) is not None}
    if isinstance(given.get("source_directory"), str):
        given["source_directory"] = _beside(path, given["source_directory"])
    target = str(about["compute_target_name"])
    Places(workspace).find_target(target, f"'{path}'")
    return ParallelRunConfig(environment=_read_environment(workspace, about, path), compute_target=target, **given)


def _read_environment(workspace: Any, about: Mapping[str, Any], path: str) -> Environment:
    from azureml.core._yaml_text import parse_yaml, read_text

    given = about.get("environment")
    if isinstance(given, str):
        place = _beside(path, given)
        given = parse_yaml(read_text(place), place)
    if isinstance(given, Mapping):
        environment: Environment = Environment._from_document(given)
        return environment
    if about.get("environment_dir_path"):
        return Environment.load_from_directory(_beside(path, str(about["environment_dir_path"])))
    if about.get("environment_name"):
        return Environment.get(workspace, str(about["environment_name"]))
    raise ValueError(f"'{path}': {_KEY} names no environment. Give one of environment, environment_dir_path and environment_name.")


def _beside(path: str, name: str) -> str:
    """A path in a file: relative to the current folder as in v1, else to the folder of the file."""
    there = os.path.join(os.path.dirname(os.path.abspath(path)), name)
    return there if not os.path.exists(name) and os.path.exists(there) else name


# Checks. A pipeline parameter stands for its default.


def _checked(value: Any, check: Callable[[Any], Any]) -> Any:
    if value is None:
        return None
    if isinstance(value, PipelineParameter):
        check(value.default_value)
        return value
    return check(value)


def _default_of(value: Any) -> Any:
    return value.default_value if isinstance(value, PipelineParameter) else value


def _shown(value: Any) -> str:
    return "None" if value is None else f"{value!r:.60}, a {type(value).__name__}"


def _stripped(name: str, value: Any) -> str:
    if not isinstance(value, (str, os.PathLike)) or not os.fspath(value).strip():
        raise ValueError(f"{_SUBJECT}'s {name} must be a path, a text that is not empty, not {_shown(value)}.")
    return str(os.fspath(value)).strip()


def _whole(name: str, value: Any, least: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ValueError(f"{_SUBJECT}'s {name} must be a whole number, at least {least}, not {_shown(value)}.")
    return value


def _percent(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 100:
        raise ValueError(f"{_SUBJECT}'s allowed_failed_percent must be a number from 0 to 100, not {_shown(value)}.")
    return value


def _one_of(name: str, value: Any, allowed: Any) -> str:
    word = value.strip().lower() if isinstance(value, str) else None
    for known in allowed:
        if known.lower() == word:
            return str(known)
    raise ValueError(f"{_SUBJECT}'s {name} must be one of {', '.join(allowed)}, not {_shown(value)}.")


def _nodes(count: Any, compute_target: Any) -> int:
    most = getattr(getattr(compute_target, "scale_settings", None), "maximum_node_count", None)
    found = _whole("node_count", count, 1)
    if isinstance(most, int) and found > most:
        raise ValueError(f"{_SUBJECT}'s node_count is {found}, but the compute target '{compute_target.name}' has at most {most} nodes.")
    return found


def _parse_size(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return _whole("mini_batch_size", value, 1)
    found = _SIZE.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        raise ValueError(
            f"{_SUBJECT}'s mini_batch_size must be a whole number, or a text such as '10', '10KB', '1MB', '1GB', not {_shown(value)}."
        )
    return int(found[1]) * _UNITS.get((found[2] or "").lower(), 1)


def _file_name(value: Any) -> Optional[str]:
    if value is None:
        return None
    if not isinstance(value, str) or not value.strip() or _NOT_IN_A_FILE_NAME & set(value):
        raise ValueError(
            f"{_SUBJECT}'s append_row_file_name must be a file's name without any of ~\"#%&*:<>?/\\{{|}}, not {_shown(value)}."
        )
    return value.strip()


def _parse_keys(parameter: PipelineParameter) -> Any:
    """What the default of a pipeline parameter stands for, as it can't be a list itself."""
    try:
        return json.loads(parameter.default_value)
    except (TypeError, ValueError):
        return None


def _keys(value: Any) -> Any:
    if value is None:
        return None
    found = _parse_keys(value) if isinstance(value, PipelineParameter) else value
    if not isinstance(found, (list, tuple)) or not found or not all(isinstance(key, str) and key for key in found):
        raise ValueError(
            f"{_SUBJECT}'s partition_keys must be a list of texts - of a pipeline parameter, their JSON - not {_shown(value)}."
        )
    return value if isinstance(value, PipelineParameter) else list(found)


__all__ = ["ParallelRunConfig"]
