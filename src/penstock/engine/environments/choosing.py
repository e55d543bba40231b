"""Choosing: on which interpreter a step runs, or what has to be built for it."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from penstock.client.home import Home
from penstock.engine.environments import conda
from penstock.engine.environments.choice import BUILD, CURRENT, GIVEN, Choice, Plan
from penstock.engine.environments.installed import find_lacking
from penstock.engine.environments.interpreters import Interpreter, describe, pick
from penstock.engine.environments.mapping import Mapped, find_program, fingerprint_of_file, map_to_pip
from penstock.engine.environments.versions import applies
from penstock.model.errors import Invalid, NotFound, Unsupported
from penstock.model.requirements import V1_PYTHON, Requirement, Wanted, hide_credentials

RECIPE = 1  # how environments are built: another number makes all keys other ones
_RELAX = "the environment policy 'compatible' (PENSTOCK_ENVIRONMENT_POLICY)"
# Of pip's options these decide what is installed; others say how pip works, and mean nothing to uv.
_DECIDING = ("--index-url", "--extra-index-url", "--find-links", "--no-index", "--no-binary", "--only-binary", "--pre", "--trusted-host")
_NAMES_OF_PYTHON = (None, "python", "python3")  # as an interpreter_path: no particular one


@dataclass(frozen=True)
class _Asked:
    """What one call is about."""

    wanted: Wanted
    exact: bool
    submitting: Interpreter


def choose(wanted: Wanted, policy: str, submitting_interpreter: str, home: Home) -> Choice:
    """Return on which interpreter an environment's steps run, or what has to be built first. Asks no network; quick once it is warm.

    Args:
        wanted: What the environment asks for (`penstock.model.requirements.parse_environment`).
        policy: exact, compatible or current.
        submitting_interpreter: The interpreter of the script that submitted the run.
        home: The home folder.

    Raises:
        Unsupported: The policy is `exact` and what is asked for is not on this machine; the message names it and the setting.
        Invalid: The environment can't be right anywhere.
        NotFound: The submitting interpreter is gone.
    """
    submitting = describe(submitting_interpreter)
    if policy == "current" or (wanted.is_default and not wanted.is_user_managed):
        return _current(submitting)
    asked = _Asked(wanted, policy == "exact", submitting)
    if wanted.is_user_managed:
        return _choose_given(asked)
    return _choose_packages(asked, policy)


def _current(submitting: Interpreter, notes: Sequence[str] = ()) -> Choice:
    return Choice(CURRENT, submitting.path, submitting.text, notes=tuple(notes))


def _choose_given(asked: _Asked) -> Choice:
    """Return the interpreter that a user-managed environment names, where there is one."""
    path = asked.wanted.interpreter_path
    if path in _NAMES_OF_PYTHON:
        return _current(asked.submitting)
    if not os.path.isabs(str(path)):
        reason = "it is no absolute path"
    else:
        try:
            given = describe(str(path))
            return Choice(GIVEN, given.path, given.text)
        except (NotFound, Invalid) as error:
            reason = error.message
    if asked.exact:
        raise Unsupported(
            f"The environment '{asked.wanted.name}' names the interpreter '{path}', which can't be used: {reason} Name one that "
            f"is on this machine; {_RELAX} takes the submitting interpreter instead."
        )
    return _current(
        asked.submitting, [f"The environment's interpreter '{path}' can't be used here; {asked.submitting.path} is used instead."]
    )


def _choose_packages(asked: _Asked, policy: str) -> Choice:
    """Return the submitting interpreter where it suffices, and what has to be built where it does not."""
    wanted = asked.wanted
    engine = conda.find_engine()
    mapped = map_to_pip(wanted)
    here = {} if asked.exact else {text: path for text in mapped.only_conda if (path := find_program(text))}
    lacking = tuple(text for text in mapped.only_conda if text not in here)
    if lacking and engine:
        return _choose_conda(asked, engine, policy)
    python, note = pick(wanted.python, asked.submitting, policy)
    notes = [*([note] if note else []), *mapped.notes, *_without_conda(asked, lacking)]
    notes += [f"The conda package '{text}' is left out: {path} is there." for text, path in here.items()]
    if python.minor == asked.submitting.minor and _suffices(mapped, asked.submitting):
        return _current(asked.submitting, notes)
    if wanted.python == V1_PYTHON and not asked.exact and _suffices(mapped, asked.submitting):  # v1 wrote it there, nobody asked for it
        return _current(asked.submitting, mapped.notes)
    plan = Plan(
        base=python.path,
        requirements=tuple(one.line() for one in (*mapped.needed, *mapped.brought)),
        guessed=mapped.guessed,
        options=_deciding(wanted.options),
        held=mapped.held,
    )
    return _build(wanted, policy, python.text, python.platform, plan, notes, mapped)


def _suffices(mapped: Mapped, interpreter: Interpreter) -> bool:
    needed = [one for one in mapped.needed if not one.marker or applies(one.marker, dict(interpreter.markers))]
    return find_lacking(needed, interpreter) is None


def _without_conda(asked: _Asked, lacking: Sequence[str]) -> list[str]:
    """Return the note that packages are left out because nothing here can provide them.

    Raises:
        Unsupported: The policy is `exact`.
    """
    if not lacking:
        return []
    names = ", ".join(hide_credentials(text) for text in lacking)
    if asked.exact:
        raise Unsupported(
            f"The environment '{asked.wanted.name}' asks for {names}, which only conda has, and no conda is on this machine. Install "
            f"micromamba; {_RELAX} leaves such packages out."
        )
    return [f"Only conda has {names}, and no conda is on this machine: left out, so the step finds only what this machine has of it."]


def _choose_conda(asked: _Asked, engine: str, policy: str) -> Choice:
    wanted = asked.wanted
    mapped = map_to_pip(wanted, conda=())
    python = wanted.python or ".".join(map(str, asked.submitting.minor))
    plan = Plan(
        base=asked.submitting.path,
        requirements=tuple(one.line() for one in (*mapped.needed, *mapped.brought)),
        options=_deciding(wanted.options),
        held=mapped.held,
        conda=wanted.conda,
        channels=wanted.channels,
        engine=engine,
        python=python,
    )
    return _build(wanted, policy, f"cpython {python}", asked.submitting.platform, plan, list(mapped.notes), mapped)


def _deciding(options: Sequence[str]) -> tuple[str, ...]:
    return tuple(option for option in options if option.split(" ")[0] in _DECIDING)


def _build(wanted: Wanted, policy: str, python: str, platform: str, plan: Plan, notes: list[str], mapped: Mapped) -> Choice:
    """Return the choice to build a plan. Its key covers what decides the result, and neither paths, names nor credentials."""
    decisive: dict[str, Any] = {
        "recipe": RECIPE,
        "python": python,
        "platform": platform,
        "policy": policy,
        "requirements": sorted(hide_credentials(line) for line in plan.requirements),
        "options": [hide_credentials(option) for option in plan.options],
        "held": sorted(plan.held),
        "conda": sorted(hide_credentials(package) for package in plan.conda),
        "channels": [hide_credentials(channel) for channel in plan.channels],
        "files": _fingerprints(mapped.needed),
    }
    key = hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()
    ignored = [f"pip's option '{hide_credentials(option)}' has no effect here." for option in wanted.options if option not in plan.options]
    return Choice(BUILD, None, python, key, {"name": wanted.name, **decisive}, (*notes, *ignored), plan)


def _fingerprints(requirements: Sequence[Requirement]) -> list[str]:
    return sorted(filter(None, map(fingerprint_of_file, requirements)))
