"""`penstock service`: status, start, stop, token, logs."""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any

from penstock.cli.progress import Progress
from penstock.cli.tables import format_time
from penstock.client import connect
from penstock.client.home import Home, find_home
from penstock.client.start import is_answering
from penstock.model.errors import PenstockError, Unavailable

STOP_SECONDS = 30.0
LOOK_SECONDS = 0.05
FOLLOW_SECONDS = 1.0


def print_status(as_json: bool) -> int:
    """Tell whether the service of the home folder runs. Asking does not start it."""
    home = find_home()
    if not is_answering(home):
        return _say({"running": False, "home": str(home.path)}, f"The service of {home.path} is not running.", as_json)
    return _say_running(connect().service_info(), as_json)


def start(as_json: bool) -> int:
    """Start the service of the home folder, unless it runs."""
    with Progress("starting the service"):
        about = connect().service_info()
    return _say_running(about, as_json)


def stop(as_json: bool) -> int:
    """Stop the service of the home folder and wait until it has ended. Running steps go on."""
    home = find_home()
    if not is_answering(home):
        return _say({"running": False, "home": str(home.path)}, f"The service of {home.path} is not running.", as_json)
    client = connect()
    pid = int(client.service_info()["pid"])
    try:
        client.stop_service()
    except PenstockError:
        if is_answering(home):
            raise
    with Progress("waiting for the service to end"):
        _wait_for_end(home, pid)
    return _say({"running": False, "home": str(home.path), "pid": pid}, f"Stopped the service of {home.path}.", as_json)


def print_token(as_json: bool) -> int:
    """Print the token that opens this home folder to programs on this machine. It is as good as a password."""
    found = connect().user_token()
    return _say(found, found["token"], as_json)


def _wait_for_end(home: Home, pid: int) -> None:
    deadline = time.monotonic() + STOP_SECONDS
    while is_answering(home) or _is_alive(pid):
        if time.monotonic() > deadline:
            raise Unavailable(f"The service (process {pid}) has not ended within {STOP_SECONDS:.0f} seconds. Its log: {home.service_log}")
        time.sleep(LOOK_SECONDS)


def _is_alive(pid: int) -> bool:
    import psutil

    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _say_running(about: dict[str, Any], as_json: bool) -> int:
    idle = about.get("idle_seconds")
    since = format_time(about["started_at"])
    text = f"The service of {about['home']} runs: process {about['pid']}, version {about['version']}, since {since}."
    return _say({"running": True, **about}, text + _say_end(about.get("stays"), idle), as_json)


def _say_end(stays: str | None, idle_seconds: float | None) -> str:
    if stays:
        return f" It does not stop itself: {stays}."
    return f" It stops itself after {idle_seconds:.0f} idle seconds." if idle_seconds else ""


def _say(document: dict[str, Any], text: str, as_json: bool) -> int:
    print(json.dumps(document, indent=2) if as_json else text)
    return 0


def print_log(*, follow: bool) -> int:
    """Print the service's own log, and with `follow` what is added to it."""
    path = find_home().service_log
    if not path.exists():
        print(f"There is no log yet: no service has run in {path.parent}.", file=sys.stderr)
        return 0
    inode, file = os.stat(path).st_ino, path.open(encoding="utf-8", errors="replace")
    try:
        while True:
            sys.stdout.write(file.read())
            sys.stdout.flush()
            if not follow:
                return 0
            time.sleep(FOLLOW_SECONDS)
            if path.exists() and os.stat(path).st_ino != inode:  # the service began a new file
                sys.stdout.write(file.read())
                file.close()
                inode, file = os.stat(path).st_ino, path.open(encoding="utf-8", errors="replace")
    finally:
        file.close()
