"""Settings: one frozen value, filled from defaults, `settings.json` in the home folder, and the environment."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from penstock.client.home import Home
from penstock.model.errors import Invalid


def _setting(default: Any, text: str, check: Callable[[Any], bool], rule: str, parse: Callable[[Any], Any] | None = None) -> Any:
    return field(default=default, metadata={"text": text, "check": check, "rule": rule, "parse": parse or type(default)})


def _positive(value: Any) -> bool:
    return bool(value > 0)


def _pairs(value: Any) -> tuple[tuple[str, str], ...]:
    """Return the pairs of a JSON object, which a variable holds as text; both halves are texts."""
    found = json.loads(value) if isinstance(value, str) else value
    if not all(isinstance(text, str) and text.strip() for pair in found.items() for text in pair):
        raise ValueError("a name or a place is no text")
    return tuple((name.strip(), place.strip()) for name, place in found.items())


def _is_place(place: str) -> bool:
    return "://" in place or place.startswith(("/", "~"))


POLICIES = ("exact", "compatible", "current")
CONTAINER_ENGINES = ("docker", "podman")
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
CATCH_UP = ("none", "last", "all")


@dataclass(frozen=True)
class Settings:
    """What an operator may choose. Every field is also `PENSTOCK_<FIELD>` in the environment, which wins over the file."""

    idle_seconds: float = _setting(
        900.0, "The service stops itself after this long without a run and without a request.", _positive, "a number of seconds above 0"
    )
    step_slots: int = _setting(
        os.cpu_count() or 1,
        "How many steps run at once on this machine, whatever the compute targets allow.",
        _positive,
        "a whole number above 0",
    )
    cancel_grace_seconds: float = _setting(
        3.0, "How long a cancelled step has between TERM and KILL.", lambda value: 0 <= value <= 3600, "a number of seconds from 0 to 3600"
    )
    snapshot_bytes: int = _setting(2 * 1024**3, "The largest source folder that is taken, in bytes.", _positive, "a whole number above 0")
    snapshot_files: int = _setting(20_000, "The largest number of files in a source folder.", _positive, "a whole number above 0")
    cache_bytes: int = _setting(
        50 * 1024**3,
        "How large the cache of files from remote stores may grow, in bytes; what was not used for longest goes first.",
        _positive,
        "a whole number above 0",
    )
    environment_policy: str = _setting(
        "compatible",
        "exact, compatible or current: how far a step's environment may differ from what was asked for.",
        lambda value: value in POLICIES,
        f"one of {', '.join(POLICIES)}",
    )
    container_engine: str = _setting(
        "",
        "docker or podman: what runs the steps that ask for a container; empty for none.",
        lambda value: value in ("", *CONTAINER_ENGINES),
        f"one of {', '.join(CONTAINER_ENGINES)}, or empty",
    )
    schedule_catch_up: str = _setting(
        "last",
        "none, last or all: which ticks of a schedule that were missed while no service ran are made up for; a schedule may say otherwise.",
        lambda value: value in CATCH_UP,
        f"one of {', '.join(CATCH_UP)}",
    )
    log_level: str = _setting(
        "INFO",
        "How much the service writes to its log: DEBUG, INFO, WARNING, ERROR.",
        lambda value: value.upper() in LEVELS,
        f"one of {', '.join(LEVELS)}",
    )
    datastore_redirects: tuple[tuple[str, str], ...] = _setting(
        (),
        "Where datastores really are: an object of datastore names, or 'account/container', and folders or URLs in their place.",
        lambda pairs: all(_is_place(place) for _, place in pairs),
        "an object of datastore names, or 'account/container', and absolute folders or URLs",
        _pairs,
    )


def load_settings(home: Home, environment: Mapping[str, str] | None = None) -> Settings:
    """Return the settings of a home folder.

    Raises:
        Invalid: The file or a variable holds something that can't be a setting; the message names it.
    """
    environment = os.environ if environment is None else environment
    chosen = {**_from_file(home.path / "settings.json"), **_from_environment(environment)}
    known = {item.name: item for item in fields(Settings)}
    for name in chosen:
        if name not in known:
            raise Invalid(f"There is no setting '{name}'. There are: {', '.join(known)}.")
    return Settings(**{name: _convert(name, value) for name, value in chosen.items()})


def _from_file(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise Invalid(f"{path} is not JSON: {error}.") from error
    if not isinstance(content, dict):
        raise Invalid(f"{path} must hold a JSON object of settings.")
    return content


def _from_environment(environment: Mapping[str, str]) -> dict[str, str]:
    names = [item.name for item in fields(Settings)]
    return {name: environment[f"PENSTOCK_{name.upper()}"] for name in names if f"PENSTOCK_{name.upper()}" in environment}


def _convert(name: str, value: Any) -> Any:
    about = Settings.__dataclass_fields__[name]
    try:
        converted = about.metadata["parse"](value)
        fits = about.metadata["check"](converted)
    except (TypeError, ValueError, AttributeError, OverflowError):
        fits = False
    if not fits:
        shown = f", not {value!r}" if "://" not in str(value) else ""  # a URL may hold a password
        raise Invalid(f"The setting '{name}' must be {about.metadata['rule']}{shown}.")
    return converted
