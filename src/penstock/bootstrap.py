"""Builds the parts; the only place that chooses between implementations."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import penstock
from penstock.client.home import Home
from penstock.engine.executors.local import LocalExecutor
from penstock.engine.loop import Engine, Wakeup
from penstock.engine.orders import StepReader
from penstock.engine.polls import Polls
from penstock.engine.scheduler import Scheduler
from penstock.engine.triggers import Triggers
from penstock.operations.context import Context
from penstock.persistence.database import Database
from penstock.settings import Settings, load_settings
from penstock.storage.discards import discard
from penstock.storage.files import replace_text
from penstock.storage.stores.home_stores import HomeStores


@dataclass(frozen=True)
class Parts:
    """All parts of a service."""

    home: Home
    settings: Settings
    context: Context
    engine: Engine
    wakeup: Wakeup
    triggers: Triggers
    polls: Polls


def build(home: Home, announce: Callable[[set[str], set[str]], None]) -> Parts:
    """Return the parts of the service of a home folder.

    Raises:
        Unavailable: The folder or the database can't be used; the message says why.
    """
    settings = load_settings(home)
    database = Database(home.database)
    discard(home.discarded, [home.incoming])  # what a killed service was still taking in: a model may be large
    wakeup = Wakeup(home.wake)
    stores = HomeStores(home.path, settings.cache_bytes)
    news = threading.Event()  # of schedules
    context = Context(database, home, settings, wake_engine=wakeup.wake, wake_triggers=news.set, announce=announce, stores=stores)
    library = make_library(home)
    executor = LocalExecutor(home, library)
    scheduler = Scheduler(context, executor, StepReader(context, str(library)))
    polls = Polls(context)
    triggers = Triggers(context, news, polls.begin_due)
    return Parts(home, settings, context, Engine(scheduler, executor, wakeup), wakeup, triggers, polls)


def make_library(home: Home) -> Path:
    """Return a folder that holds the packages `azureml` and `penstock` as links, and no other: what is put on a step's path."""
    package = Path(penstock.__file__).resolve().parent
    name = hashlib.sha256(os.fsencode(package)).hexdigest()[:12]
    library = home.path / "library" / name
    library.mkdir(parents=True, exist_ok=True)
    for source in (package, package.parent / "azureml"):
        link = library / source.name
        if not link.is_symlink():
            link.symlink_to(source)
    _name_to_mlflow(library)
    return library


_FOR_MLFLOW = {
    "METADATA": "Metadata-Version: 2.1\nName: penstock-steps\nVersion: 0\n",
    "entry_points.txt": "[mlflow.request_header_provider]\npenstock = azureml.mlflow._waking:WakesService\n",
}


def _name_to_mlflow(library: Path) -> None:
    """Let MLflow find in a library what it finds in an installed Penstock: whom to ask before each request. Steps' Pythons have none.

    Steps that are under way read these files; so the folder has the same name in every version, and no file is seen half written.
    """
    about = library / "penstock_steps-0.dist-info"
    about.mkdir(exist_ok=True)
    for name, text in _FOR_MLFLOW.items():
        path = about / name
        if not path.is_file() or path.read_text() != text:
            replace_text(path, text)
