"""What cells import of IPython, for interpreters without it: `display`, and the wrappers of what it shows."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

_DISPLAYS = ("IPython.display", "IPython.core.display")


class _Shown:
    """A text that a notebook shows in a form of its own; a log shows the text."""

    def __init__(self, data: Any = "", *_: Any, **__: Any) -> None:
        self.data = data

    def __repr__(self) -> str:
        return str(self.data)


class HTML(_Shown):
    """A piece of HTML."""

    def _repr_html_(self) -> str:
        return str(self.data)


class Markdown(_Shown):
    """A piece of Markdown."""


class Finder:
    """Gives the modules IPython, IPython.display and IPython.core.display to whoever imports them first.

    Not before: libraries take the presence of IPython in `sys.modules` for a notebook.
    """

    def __init__(self, show: Callable[..., None]) -> None:
        self._names: dict[str, Any] = {"display": show, "clear_output": _ignore, "HTML": HTML, "Markdown": Markdown}

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        """Return how a module is made, when it is one of these."""
        if name not in ("IPython", "IPython.core", *_DISPLAYS):
            return None
        return ModuleSpec(name, self, is_package=name not in _DISPLAYS)  # type: ignore[arg-type]

    def create_module(self, spec: ModuleSpec) -> None:
        """Take a plain module."""

    def exec_module(self, module: ModuleType) -> None:
        """Fill a module."""
        # No shell: libraries ask for one to hook into it, and ours has nothing to hook into. Cells have `get_ipython` as it is.
        names = self._names if module.__name__ in _DISPLAYS else {"get_ipython": _ignore}
        module.__dict__.update(names)


def _ignore(*_: Any, **__: Any) -> None:
    """Do nothing: a log has no screen to clear, and no shell to hook into."""


def provide_displays(show: Callable[..., None]) -> None:
    """Let cells import from IPython what shows values; `show` shows them. A real IPython that is installed comes first."""
    sys.meta_path.append(Finder(show))
