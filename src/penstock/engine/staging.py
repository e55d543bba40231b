"""Inputs on their way to a step: what lies on other machines is fetched into the cache, aside, before the step takes its turn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from penstock.engine.aside import Aside, Check
from penstock.engine.inputs import AWAY, Data, Fetched, Files, Here, Inputs, OnStore, Part, Source, Unlisted
from penstock.engine.orders import ReadyStep
from penstock.model.errors import PenstockError
from penstock.operations.context import Context
from penstock.operations.selection import fetch
from penstock.storage.paths import clean_relative

THREADS = 8  # transfers wait for networks; a slow one must not hold up the others


class Staging:
    """Brings inputs to this machine, a few steps at a time."""

    def __init__(self, context: Context, wake: Callable[[], None]) -> None:
        self._context = context
        self._inputs = Inputs(context)
        self._aside: Aside[ReadyStep] = Aside("staging", THREADS, wake)

    def forget_others(self, run_ids: set[str]) -> None:
        """End the transfers for steps that are not among these: they were cancelled."""
        self._aside.forget_others(run_ids)

    def pending(self) -> set[str]:
        """Return the run ids of the steps whose inputs are on their way, or will be tried again."""
        return self._aside.pending()

    def done(self) -> set[str]:
        """Return the run ids of the steps whose inputs are here, or could not be fetched."""
        return self._aside.done()

    @property
    def is_full(self) -> bool:
        """Whether no more transfers should begin now."""
        return len(self._aside.under_way()) >= THREADS

    def take(self, run_id: str) -> ReadyStep | None:
        """Return a step whose inputs are all on this machine, or None while that is not so.

        Raises:
            PenstockError: An input can't be fetched; the message names it, its datastore and its path.
        """
        return self._aside.take(run_id)

    def needs(self, step: ReadyStep) -> bool:
        """Tell whether a step's inputs must be brought here before it can start."""
        return any(isinstance(source.data, AWAY) for source in step.sources.values())

    def begin(self, step: ReadyStep) -> None:
        """Begin to bring a step's inputs."""
        self._aside.begin(step.row["id"], partial(self._stage, step))

    def _stage(self, step: ReadyStep, check: Check) -> ReadyStep:
        return replace(step, sources={name: self._bring(step, name, source, check) for name, source in step.sources.items()})

    def _bring(self, step: ReadyStep, name: str, source: Source, check: Check) -> Source:
        if not isinstance(source.data, AWAY):
            return source
        try:
            return replace(source, data=self._fetch(source.data, step.row["workspace_id"], check))
        except PenstockError as error:
            error.begin_with(f"Its input '{name}' can't be fetched:")
            raise

    def _fetch(self, data: Data, workspace_id: str, check: Check) -> Fetched:
        if isinstance(data, (OnStore, Unlisted)):
            data = self._inputs.list_files(data, workspace_id, check)
        assert isinstance(data, Files)
        places = fetch(self._context, [(part.store, part.found) for part in data.parts], check)
        files = [
            Here(place, _relative(part, data.is_single), not part.store.is_local) for place, part in zip(places, data.parts, strict=True)
        ]
        return Fetched(tuple(files), data.is_single)


def _relative(part: Part, is_single: bool) -> str:
    """Return where a file lies below its input; a store's path may hold anything, and must not lead out of it."""
    return part.found.path.rpartition("/")[2] if is_single else clean_relative(part.path)
