"""v1 names that this version does not have: they import, they take part in isinstance checks, and they refuse to work.

A script that only mentions such a name runs; one that really needs it is told which name it was and what to do instead.
"""

from __future__ import annotations

from typing import Any, Callable


def not_built(name: str, instead: str) -> NotImplementedError:
    """Return the error that says v1's `name` is not in this version, and what to do instead."""
    return NotImplementedError(f"{name} is not part of this version of Penstock. {instead}")


def refuse_call(name: str, instead: str) -> Callable[..., Any]:
    """Return a function that takes any arguments and raises NotImplementedError for v1's `name`."""

    def refused(*args: Any, **kwargs: Any) -> Any:
        raise not_built(name, instead)

    refused.__name__ = refused.__qualname__ = name.rpartition(".")[2]
    refused.__doc__ = f"Not part of this version. {instead}"
    return refused


def refuse_class(name: str, instead: str) -> type:
    """Return a class that stands for v1's class `name`: building it or reaching into it raises NotImplementedError.

    Args:
        name: The v1 name, with its module ("azureml.core.webservice.AciWebservice") or without.
        instead: A sentence that says what to do instead.
    """
    module, _, short = name.rpartition(".")
    members = {"__module__": module or __name__, "__doc__": f"Not part of this version. {instead}", "_v1_name": short, "_instead": instead}
    return Refused(short, (), members)


class Refused(type):
    """The type of refused classes."""

    _v1_name: str
    _instead: str

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        raise not_built(cls._v1_name, cls._instead)

    def __getattr__(cls, member: str) -> Any:
        if member.startswith("_"):  # what Python itself asks for must stay an ordinary "no"
            raise AttributeError(f"type object '{cls.__name__}' has no attribute '{member}'")
        raise not_built(f"{cls._v1_name}.{member}", cls._instead)
