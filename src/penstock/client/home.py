"""The home folder: where the local service keeps its rows, run folders and socket."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

from penstock.model.errors import Unavailable

_SOCKET_LIMIT = 100  # sun_path holds 104 bytes on macOS, 108 on Linux


class Home:
    """Paths below one home folder."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.database = path / "penstock.db"
        self.runs = path / "runs"
        self.blobs = path / "blobs"
        self.incoming = self.blobs / "incoming"  # bytes that have not all come yet
        self.discarded = path / "discarded"  # what is still to be removed, out of everybody's way
        self.workspaces = path / "workspaces"
        self.environments = path / "environments"
        self.service_lock = path / "service.lock"
        self.start_lock = path / "start.lock"
        self.service_log = path / "service.log"
        self.wake = path / "wake.fifo"
        self.port = path / "port"  # where the service listens for who speaks HTTP, or why it can't
        self.callers = path / "callers"  # there once programs may call over REST, until the service is told to stop
        self.token_key = path / "token.key"
        self.keeper_pipe = path / "keeper.fifo"
        self.keeper_lock = path / "keeper.lock"

    @property
    def socket(self) -> Path:
        """The service's socket; in a short folder of the user's own where the home's path is too long for a socket."""
        plain = self.path / "service.sock"
        if len(os.fsencode(plain)) <= _SOCKET_LIMIT:
            return plain
        name = hashlib.sha256(os.fsencode(self.path)).hexdigest()[:16]
        return Path("/tmp") / f"penstock-{os.getuid()}" / f"{name}.sock"  # noqa: S108 - the folder is checked to be ours, 0700

    def run_folder(self, run_id: str) -> Path:
        """Return the folder that belongs to one run."""
        return self.runs / run_id

    def blob(self, digest: str) -> Path:
        """Return where the bytes with this sha256 lie, or would lie."""
        return self.blobs / digest[:2] / digest

    def create(self) -> None:
        """Make the folder, readable by its owner only.

        Raises:
            Unavailable: It can't be made or written.
        """
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            for folder in (self.runs, self.blobs, self.workspaces):
                folder.mkdir(mode=0o700, exist_ok=True)
            if self.socket.parent != self.path:
                _make_private(self.socket.parent)
        except OSError as error:
            raise Unavailable(
                f"The home folder {self.path} can't be used: {error.strerror or error}. "
                "Mend that, or set PENSTOCK_HOME to a folder that can be made."
            ) from error


def _make_private(folder: Path) -> None:
    folder.mkdir(mode=0o700, exist_ok=True)
    about = folder.lstat()
    if not stat.S_ISDIR(about.st_mode) or about.st_uid != os.getuid() or about.st_mode & 0o077:
        raise OSError(0, f"{folder} is not a private folder of this user")


def find_home() -> Home:
    """Return the home folder that PENSTOCK_HOME names, or ~/.penstock; links resolved, as the socket's name depends on it."""
    named = os.environ.get("PENSTOCK_HOME")
    return Home(Path(os.path.realpath(Path(named).expanduser() if named else Path.home() / ".penstock")))
