"""Finding built environments. How they lie on the disk is told in `penstock.storage.built`."""

from __future__ import annotations

import os

from penstock.client.home import Home
from penstock.engine.environments.choice import Built
from penstock.storage.built import interpreter_path, read_facts


def find(home: Home, key: str) -> Built | None:
    """Return the environment of this name if it is built and its Python is still there."""
    facts = read_facts(home, key)
    interpreter = interpreter_path(home, key)
    if facts is None or not os.access(interpreter, os.X_OK):  # it is a link: the Python it was made from may be gone
        return None
    return Built(str(interpreter), tuple(facts["notes"]), tuple(facts["requirements"]), facts["python"], key)
