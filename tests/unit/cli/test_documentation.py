"""Nothing that a user can type or set may be undocumented."""

import argparse
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest

from penstock.cli.main import build_parser
from penstock.service.app import TABLES
from penstock.settings import Settings

REFERENCE = Path(__file__).parents[3] / "docs" / "reference"


def list_commands(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """Yield the parser of every command and subcommand."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                yield command
                yield from list_commands(command)


COMMANDS = list(list_commands(build_parser()))


def section_of(command: argparse.ArgumentParser) -> str:
    """Return the reference page's text on one command, from its heading to the next of any kind."""
    text = (REFERENCE / "command-line.md").read_text(encoding="utf-8")
    heads = [index for index, line in enumerate(text.splitlines()) if line.startswith("#")]
    lines = text.splitlines()
    for begin, end in zip(heads, [*heads[1:], len(lines)], strict=True):
        words = lines[begin].strip("# `").split(" ")
        if words[: len(command.prog.split())] == command.prog.split():
            return "\n".join(lines[begin:end])
    pytest.fail(f"docs/reference/command-line.md has no section on '{command.prog}'")


@pytest.mark.parametrize("command", COMMANDS, ids=[command.prog for command in COMMANDS])
def test_every_command_and_option_is_documented(command: argparse.ArgumentParser) -> None:
    section = section_of(command)
    for action in command._actions:
        for option in action.option_strings:
            assert option in ("-h", "--help") or f"`{option}" in section, f"{command.prog} {option}"


@pytest.mark.parametrize("name", [item.name for item in fields(Settings)])
def test_every_setting_is_documented(name: str) -> None:
    text = (REFERENCE / "settings.md").read_text(encoding="utf-8")
    assert f"| `{name}` | `PENSTOCK_{name.upper()}` |" in text


ROUTES = [(item.method, item.path) for table in TABLES for item in table.declarations]


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_every_route_is_documented(method: str, path: str) -> None:
    text = (REFERENCE / "rest.md").read_text(encoding="utf-8")
    assert f"| {method} | `{path}` |" in text
