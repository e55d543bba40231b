"""Which function submits an object that a script hands to `Experiment.submit`: a registry by class, bases included."""

from __future__ import annotations

import functools
from typing import Any, Callable, Dict, Optional, TypeVar

from azureml.exceptions import AzureMLException

Submit = Callable[..., Any]
_Target = TypeVar("_Target")


class ExperimentSubmitRegistrar:
    """The registry. A class that is not in it is submitted as its nearest base that is."""

    _functions: Dict[type, Submit] = {}

    @classmethod
    def register_submit_function(cls, object_type: type, submit_function: Submit) -> None:
        """Let `submit_function(config, workspace, experiment_name, **kwargs)` submit objects of this class and below."""
        cls._functions[object_type] = submit_function

    @classmethod
    def get_submit_function(cls, to_submit: Any) -> Submit:
        """Return the function that submits this object.

        Raises:
            AzureMLException: Objects of this class can't be submitted.
        """
        for base in type(to_submit).__mro__:
            found = cls._functions.get(base) or getattr(base.__dict__.get("__init__"), "_submit_function", None)
            if found is not None:
                return found
        raise _unknown(to_submit)


get_submit_function = ExperimentSubmitRegistrar.get_submit_function


def experiment_method(submit_function: Optional[Submit] = None, **kwargs: Any) -> Callable[[_Target], _Target]:
    """Return a decorator that makes a class submittable: put it on the constructor, as in v1, or on the class.

    Args:
        submit_function: Called as `submit_function(config, workspace, experiment_name, **kwargs)`; returns the run.
        **kwargs: Accepted and ignored, as in v1.
    """

    def decorate(target: Any) -> Any:
        if submit_function is None:
            return target
        if isinstance(target, type):
            ExperimentSubmitRegistrar.register_submit_function(target, submit_function)
            return target
        return _registering(target, submit_function)

    return decorate


def _registering(constructor: Callable[..., None], submit_function: Submit) -> Callable[..., None]:
    @functools.wraps(constructor)
    def construct(self: Any, *args: Any, **kwargs: Any) -> None:
        constructor(self, *args, **kwargs)
        # Afterwards, because a base's decorated constructor registers too, and the outermost must win.
        ExperimentSubmitRegistrar.register_submit_function(type(self), submit_function)

    construct._submit_function = submit_function  # type: ignore[attr-defined]  # for objects that were unpickled, never constructed here
    return construct


def _unknown(to_submit: Any) -> AzureMLException:
    kind = type(to_submit).__name__
    if kind == "RunConfiguration":
        hint = "Put it into a ScriptRunConfig: ScriptRunConfig(source_directory, script, run_config=...)."
    else:
        hint = "Submit a ScriptRunConfig, a Pipeline, or another object that describes a run."
    return AzureMLException(f"A {kind} can't be submitted. {hint}", target="config", reference_code="BadArgument")
