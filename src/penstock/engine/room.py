"""How many more steps may start now: the one rule about slots and nodes.

Every step that holds a process takes one slot of this machine; there are as many as the setting `step_slots` says. A node of a compute
target is one slot, whatever its size; the target's own limit says how many of its nodes fit side by side (`model/vm_sizes.py`).
"""

from __future__ import annotations

from collections import Counter

from penstock.model import status as words
from penstock.model.graph import LOCAL
from penstock.operations import steps
from penstock.operations.compute_targets import list_node_limits
from penstock.operations.context import Context
from penstock.persistence.database import Row


class Room:
    """How many more steps may start now: by this machine's slots and by each compute target's node limit."""

    def __init__(self, context: Context) -> None:
        under_way = [row for row in steps.list_steps_under_way(context) if _takes_place(row)]
        self._slots = context.settings.step_slots - len(under_way)
        self._limits = list_node_limits(context)
        self._by_target = Counter((row["workspace_id"], row["compute_name"]) for row in under_way)

    @property
    def is_full(self) -> bool:
        """Whether this machine has no slot left."""
        return self._slots < 1

    def has_place(self, row: Row) -> bool:
        """Tell whether a step may start now."""
        target = (row["workspace_id"], row["compute_name"])
        limited = row["compute_name"] not in (None, LOCAL)  # this machine itself has no limit but its slots
        return not self.is_full and not (limited and self._by_target[target] >= self._limits.get(target, 1))

    def take(self, row: Row) -> None:
        """Take the place of one step."""
        self._slots -= 1
        self._by_target[row["workspace_id"], row["compute_name"]] += 1


def _takes_place(row: Row) -> bool:
    """Tell whether a step under way takes a slot: not when its process has ended, nor while it waits for runs that it submitted itself.

    Otherwise a script that submits a pipeline and waits for it would stand in its way, for ever where there is but one slot.
    """
    return row["status"] in words.ON_A_NODE and not row["waits_for_others"]
