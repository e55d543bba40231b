"""The keys of steps that started before their large inputs were read. They are read meanwhile, and the step ends when its key is known."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from penstock.engine.aside import Aside, Check
from penstock.engine.orders import StepReader
from penstock.model.errors import PenstockError, Unavailable
from penstock.persistence.database import Row

THREADS = 2  # they read disks


@dataclass(frozen=True)
class Keyed:
    """What a step's key is made of, and the key; None where its inputs changed while it ran, so that nobody knows what it read."""

    components: dict[str, Any] | None = None
    key: str | None = None


class Keys:
    """Reads what was left unread."""

    def __init__(self, reader: StepReader, wake: Callable[[], None]) -> None:
        self._reader = reader
        self._aside: Aside[Keyed] = Aside("keys", THREADS, wake, fresh_seconds=float("inf"))

    def forget_others(self, run_ids: set[str]) -> None:
        """End the reading for steps that are not among these."""
        self._aside.forget_others(run_ids)

    def begin(self, row: Row, components: dict[str, Any], unread: dict[str, str]) -> None:
        """Begin to read the inputs of a step that runs."""
        self._aside.begin(row["id"], partial(self._read, row, components, unread))

    def take(self, row: Row) -> Keyed | None:
        """Return the key of a step that started without one; None while its inputs are being read."""
        keyed = self._aside.take(row["id"])
        if keyed is None:
            self.begin(row, json.loads(row["components"]), json.loads(row["unread"]))
        return keyed

    def _read(self, row: Row, components: dict[str, Any], unread: dict[str, str], check: Check) -> Keyed:
        try:
            step = self._reader.read_whole(row, check)
            now = self._reader.look(row, check)
        except Unavailable:
            raise
        except (PenstockError, OSError):  # gone while the step ran
            return Keyed()
        is_same = unread.items() <= now.items() and _without_content(step.components) == _without_content(components)
        return Keyed(step.components, step.key) if is_same else Keyed()


def _without_content(components: dict[str, Any]) -> Any:
    return {**components, "inputs": [{**item, "content": None} for item in components["inputs"]]}
