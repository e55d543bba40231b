"""Mistakes that v1 answered with a bare `Exception`; here they have a name, and `except Exception` still catches them."""

from __future__ import annotations


class PipelineParameterError(ValueError):
    """A value or a name that does not fit the parameters of a pipeline."""


class NameInUseError(ValueError):
    """A name stands for two different things."""


class ModuleError(ValueError):
    """A version or a member of a module that it does not have, or has already."""
