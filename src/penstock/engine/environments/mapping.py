"""From what an environment asks for to what pip can install: conda's names in pip's, `azureml-*` as what it means here."""

from __future__ import annotations

import functools
import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from penstock.model.errors import Invalid
from penstock.model.requirements import (
    CondaPackage,
    Requirement,
    Wanted,
    conda_condition,
    is_ours,
    normal_name,
    parse_conda,
    parse_requirement,
)

# Programs whose version hardly ever matters: those of the machine do as well as conda's.
_PLAIN_PROGRAMS = {"curl", "git", "git-lfs", "make", "unzip", "wget", "zip"}
ANOTHER_VERSION = "*"  # after a name in the table: the versions of the two packages have nothing to do with each other


@dataclass(frozen=True)
class Mapped:
    """What pip is asked for.

    Attributes:
        needed: Requirements that must be there.
        brought: Requirements that `azureml-*` packages brought along: installed where an environment is built anyway.
        guessed: Names among the needed that were taken over from conda as they are; pip may not know them.
        only_conda: Packages that only conda has.
        notes: What was left out.
        held: Conditions, such as 'numpy<1.24', that the `azureml-*` packages held others to; they count where they can be had.
    """

    needed: tuple[Requirement, ...] = field(repr=False)
    brought: tuple[Requirement, ...]
    guessed: frozenset[str]
    only_conda: tuple[str, ...]
    notes: tuple[str, ...]
    held: tuple[str, ...] = ()


def map_to_pip(wanted: Wanted, conda: Iterable[str] | None = None) -> Mapped:
    """Return what pip is asked for; `conda` is what pip has to provide of conda's packages, all of them by default."""
    needed: list[Requirement] = []
    guessed: set[str] = set()
    only_conda: list[str] = []
    notes: list[str] = []
    for text in wanted.conda if conda is None else conda:
        package = parse_conda(text)
        if is_ours(package.name):
            needed.append(Requirement(package.name))
            continue
        target = names_of_conda().get(package.name, package.name)
        if target is False:
            only_conda.append(text)
        elif target:
            needed.append(_requirement(package, str(target), notes))
            if package.name not in names_of_conda():
                guessed.add(package.name)
    needed += [parse_requirement(line) for line in wanted.requirements]
    others, brought = _replace_ours(needed)
    return Mapped(tuple(dict.fromkeys(others)), tuple(brought), frozenset(guessed), tuple(only_conda), tuple(notes), _list_held(needed))


def find_program(text: str) -> str | None:
    """Return the path of the program that stands in for a package of conda's; None where it is none, or not on the PATH."""
    name = parse_conda(text).name
    return shutil.which(name) if name in _PLAIN_PROGRAMS else None


def _requirement(package: CondaPackage, target: str, notes: list[str]) -> Requirement:
    if target.endswith(ANOTHER_VERSION):
        return parse_requirement(target.rstrip(ANOTHER_VERSION))
    condition = conda_condition(package.version)
    if package.version.strip("=*") and not condition:
        notes.append(f"The version of the conda package '{package.name}{package.version}' has no words in pip; any version is taken.")
    return parse_requirement(target + condition)


def _replace_ours(requirements: Iterable[Requirement]) -> tuple[list[Requirement], list[Requirement]]:
    """Return the requirements without `azureml-*`, with what those need; and what those brought along and nobody else asks for."""
    others = [one for one in requirements if not is_ours(one.name)]
    ours = [one for one in requirements if is_ours(one.name)]
    named = {one.name for one in others}
    for one in ours:
        about = names_of_azureml().get(str(one.name), {})
        extras = [name for extra in one.extras for name in about.get("extras", {}).get(extra, ())]
        needed = [name for name in (*about.get("needed", ()), *extras) if name not in named]
        others += [Requirement(name, marker=one.marker) for name in needed]
        named.update(needed)
    brought = {
        name: one.marker for one in ours for name in names_of_azureml().get(str(one.name), {}).get("brought", ()) if name not in named
    }
    return others, [Requirement(name, marker=marker) for name, marker in brought.items()]


def _list_held(requirements: Iterable[Requirement]) -> tuple[str, ...]:
    held = (condition for one in requirements for condition in names_of_azureml().get(str(one.name), {}).get("held", ()))
    return tuple(dict.fromkeys(held))


@functools.cache
def names_of_conda() -> Mapping[str, str | bool | None]:
    """Return conda's names and pip's; None for what is left out, False for what only conda has."""
    return {normal_name(name): target for name, target in _table("conda_names.json").items()}


@functools.cache
def names_of_azureml() -> Mapping[str, Mapping[str, Any]]:
    """Return what packages named azureml-* brought with them."""
    return _table("azureml_names.json")


def _table(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(Path(__file__).with_name(name).read_text(encoding="utf-8"))
    return {key: value for key, value in content.items() if key}  # the empty key explains the file


def fingerprint_of_file(requirement: Requirement) -> str | None:
    """Return the hash of the file that a requirement names, so that another file under the same name is another environment.

    Raises:
        Invalid: There is no such file on this machine.
    """
    path = _local_path(requirement.url)
    if path is None or os.path.isdir(path):
        return None
    try:
        about = os.stat(path)
        return _hash_file(path, about.st_mtime_ns, about.st_size)
    except OSError as error:
        raise Invalid(f"The requirement '{requirement.line()}' names a file that can't be read: {error.strerror}.") from error


def _local_path(url: str | None) -> str | None:
    if url is None or (not url.startswith(("/", "file:")) or url.startswith("//")):
        return None
    return unquote(urlsplit(url).path)


@functools.lru_cache(maxsize=256)
def _hash_file(path: str, modified: int, size: int) -> str:
    with open(path, "rb") as stream:
        return (
            hashlib.file_digest(stream, "sha256").hexdigest()
            if hasattr(hashlib, "file_digest")
            else hashlib.sha256(stream.read()).hexdigest()
        )
