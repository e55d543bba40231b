"""YAML in and out. PyYAML is loaded here and only here, when a file is really read or written."""

from __future__ import annotations

from typing import Any


def parse_yaml(text: str) -> Any:
    """Return what a YAML text says; a missing PyYAML or a broken text is an error that says so."""
    yaml = _library()
    return yaml.safe_load(text)


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
