"""YAML in and out. PyYAML is loaded here and only here, when a file is really read or written."""

from __future__ import annotations

import os
from typing import Any


def read_text(path: str) -> str:
    """Return a file's text; a file that is not there is told of with the folder it was looked for in."""
    try:
        with open(path, encoding="utf-8") as stream:
            return stream.read()
    except FileNotFoundError:
        folder = "" if os.path.isabs(path) else f" in '{os.getcwd()}', where this process runs: a path is relative to that folder"
        raise FileNotFoundError(f"There is no file '{path}'{folder}.") from None


def parse_yaml(text: str, where: str) -> Any:
    """Return what a YAML text says; a missing PyYAML or a broken text is an error that says so.

    Args:
        text: The text.
        where: The file it was read from, for the error.
    """
    yaml = _library()
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        from azureml.exceptions import UserErrorException

        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark is not None else ""
        raise UserErrorException(f"'{where}' is no YAML{line}: {getattr(error, 'problem', None) or error}.") from None


def format_yaml(value: Any) -> str:
    """Return a value as YAML text, its keys in their own order."""
    yaml = _library()
    return str(yaml.safe_dump(value, sort_keys=False, default_flow_style=False, allow_unicode=True, width=200))


def _library() -> Any:
    try:
        import yaml
    except ImportError as error:
        raise ImportError("Reading and writing YAML needs the package PyYAML in this Python: pip install PyYAML") from error
    return yaml
