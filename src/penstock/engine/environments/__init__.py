"""Environments: what a step's Python is, found among what is there or built once and found again.

`choose` decides at once and without a network; `find` looks whether what it chose is built; `build` builds it. `store` knows the folders.
"""

from __future__ import annotations

from penstock.engine.environments.build import build
from penstock.engine.environments.choice import BUILD, CURRENT, GIVEN, IN_IMAGE, Built, Choice
from penstock.engine.environments.choosing import choose
from penstock.engine.environments.store import find

__all__ = ["BUILD", "CURRENT", "GIVEN", "IN_IMAGE", "Built", "Choice", "build", "choose", "find"]
