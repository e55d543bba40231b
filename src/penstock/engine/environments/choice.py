"""The values that environments are made of: what was chosen for a step, what is given to the builder, what was built."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from penstock.engine.environments.containers import Image

CURRENT, GIVEN, BUILD, IN_IMAGE = "current", "given", "build", "in image"


@dataclass(frozen=True)
class Plan:
    """What the builder is given. Lines may hold credentials: a plan is neither stored nor shown.

    Attributes:
        base: The interpreter that the environment is made from.
        requirements: Lines for pip that must be met.
        guessed: Normal names among them that were guessed from conda's: left out when no index knows them (not under `exact`).
        options: Options for pip.
        held: Conditions that count where they can be had.
        conda: Packages for conda, when an engine for them is on this machine.
        channels: conda's channels.
        engine: The path of that engine, or None.
        python: The Python that conda installs, when it does.
    """

    base: str
    requirements: tuple[str, ...] = field(default=(), repr=False)
    guessed: frozenset[str] = frozenset()
    options: tuple[str, ...] = field(default=(), repr=False)
    held: tuple[str, ...] = ()
    conda: tuple[str, ...] = ()
    channels: tuple[str, ...] = field(default=(), repr=False)
    engine: str | None = None
    python: str | None = None


@dataclass(frozen=True)
class Choice:
    """On which interpreter a step runs, or what has to be built first.

    Attributes:
        kind: 'current' (the submitting interpreter), 'given' (the one that the environment names), 'build', or 'in image' (the
            image's own, by whatever name it is found there).
        interpreter: Its path; None when it has to be built.
        python: What it is, such as 'cpython 3.7.16'.
        key: The name of what is built: a hash of the specification. Two machines with the same Python have the same key.
        specification: What is built, in words; JSON values, credentials hidden.
        notes: What was decided that the user did not say: the nearest Python, packages left out.
        plan: What `build` needs.
        image: The image that its steps run in; None outside of containers.
    """

    kind: str
    interpreter: str | None
    python: str
    key: str | None = None
    specification: Mapping[str, Any] | None = None
    notes: tuple[str, ...] = ()
    plan: Plan | None = field(default=None, repr=False, compare=False)
    image: Image | None = None

    @property
    def place(self) -> str:
        """What steps run on, and in which image: what an earlier result must have been made on, too."""
        return f"{self.python} in the image {self.image.name}" if self.image else self.python


@dataclass(frozen=True)
class Built:
    """An environment that is there.

    Attributes:
        interpreter: The path of its Python.
        notes: What was relaxed while it was built, and why.
        requirements: What was installed, as 'name==version', sorted.
        python: What its Python is, such as 'cpython 3.7.16'.
        key: The name under which it is found again.
    """

    interpreter: str
    notes: tuple[str, ...]
    requirements: tuple[str, ...]
    python: str
    key: str
