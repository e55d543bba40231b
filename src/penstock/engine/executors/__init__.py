"""What starts, watches and stops the processes of steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from penstock.engine.environments.containers import Container

Packed = bytes  # a manifest, as penstock.compile.manifests packs it
Handle = dict[str, Any]  # JSON: it is kept in a row, so that the next service finds the process again


@dataclass(frozen=True)
class Output:
    """Where a step writes one output, and from where in its working directory an upload output is taken afterwards.

    With `globs`, only files below it that one of these names are the output.
    """

    name: str
    path: str
    upload_from: str = ""
    globs: tuple[str, ...] = ()


@dataclass(frozen=True)
class StepOrder:
    """All that an executor needs to run one attempt of a step."""

    step_run_id: str
    attempt: int
    interpreter: str
    script: str  # '' where a command takes its place
    arguments: tuple[str, ...]
    environment: dict[str, str]
    files: tuple[tuple[str, str, bool], ...]  # the snapshot: path, digest of the blob, may be executed
    command: tuple[str, ...] = ()  # where there is no script: a program and its arguments
    folders: tuple[str, ...] = ()  # must exist before the start
    copies: tuple[tuple[str, str], ...] = ()  # from an absolute path to one in the working directory
    links: tuple[tuple[str, str], ...] = ()
    cached: tuple[tuple[str, str], ...] = ()  # files of the cache, which may be cleared meanwhile
    outputs: tuple[Output, ...] = ()
    container: Container | None = None  # then `environment` is that of the process that starts it


@dataclass(frozen=True)
class Published:
    """What an output holds at the end."""

    name: str
    exists: bool
    files: int
    bytes: int
    digest: str
    manifest: Packed = b""  # its files


@dataclass(frozen=True)
class Outcome:
    """How an attempt ended. `began` is False when its script certainly never ran: it may be started again."""

    began: bool = True
    exit_code: int | None = None
    signal: int | None = None
    error: tuple[str, str, str] | None = None  # type, message, traceback
    outputs: tuple[Published, ...] = ()
    ended_at: float | None = None
    lost: str | None = None  # why nobody knows how it ended


class Executor(Protocol):
    """A place where steps run."""

    def open(self) -> None:
        """Make ready, so that the first step starts as quickly as the others."""

    def close(self) -> None:
        """Let go of what nobody uses; running attempts go on."""

    def start(self, order: StepOrder) -> Handle:
        """Start an attempt; return what finds it again."""

    def find(self, step_run_id: str, attempt: int) -> Handle:
        """Return the handle of an attempt whose start may not have been written down."""

    def poll(self, handle: Handle, thorough: bool = False) -> Outcome | None:
        """Return how an attempt ended, or None while it goes on. `thorough` also looks for a process that died without a word."""

    def stop(self, handle: Handle, force: bool) -> bool:
        """Ask the whole process tree to end (`force`: end it); return True when nothing of it is left."""
