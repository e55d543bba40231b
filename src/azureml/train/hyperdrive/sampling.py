"""How a sweep chooses the values of its parameters."""

from __future__ import annotations

from typing import Any, Callable, Dict, Iterable, List, Mapping, Optional

from azureml.train.hyperdrive.exceptions import HyperDriveConfigException

_MOST_POINTS = 100_000


class HyperParameterSampling:
    """The base of the ways to choose.

    Args:
        sampling_method_name: The name of the way.
        parameter_space: Parameter name -> expression, such as {"--lr": uniform(0, 1)}.
        properties: What it is told besides.
        supported_distributions: The expressions that it can choose from; None means all.
        distributions_validators: Further checks: name of an expression -> a function of its arguments that raises ValueError.

    Raises:
        HyperDriveConfigException: The space holds an expression that it can't choose from.
    """

    def __init__(
        self,
        sampling_method_name: str,
        parameter_space: Mapping[str, Any],
        properties: Optional[Mapping[str, Any]] = None,
        supported_distributions: Optional[Iterable[str]] = None,
        distributions_validators: Optional[Mapping[str, Callable[[List[Any]], None]]] = None,
    ) -> None:
        self._name = sampling_method_name
        self._parameter_space = parameter_space
        self._properties = properties
        supported = None if supported_distributions is None else set(supported_distributions)
        _check_space(type(self).__name__, parameter_space, supported, distributions_validators or {})

    def to_json(self) -> Dict[str, Any]:
        """Return the way to choose as JSON values: its name, the space, and the properties where there are any."""
        shown = {"name": self._name, "parameter_space": self._parameter_space}
        return {**shown, **({"properties": self._properties} if self._properties else {})}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._parameter_space!r})"


class RandomParameterSampling(HyperParameterSampling):
    """Chooses by chance.

    Args:
        parameter_space: Parameter name -> expression.
        properties: {"seed": a number} makes the choice repeatable.
    """

    SAMPLING_NAME = "RANDOM"

    def __init__(self, parameter_space: Mapping[str, Any], properties: Optional[Mapping[str, Any]] = None) -> None:
        super().__init__(self.SAMPLING_NAME, parameter_space, properties)


class GridParameterSampling(HyperParameterSampling):
    """Takes every combination once.

    Args:
        parameter_space: Parameter name -> choice(...).
        properties: Kept.

    Raises:
        HyperDriveConfigException: An expression is no choice.
    """

    SAMPLING_NAME = "GRID"

    def __init__(self, parameter_space: Mapping[str, Any], properties: Optional[Mapping[str, Any]] = None) -> None:
        super().__init__(self.SAMPLING_NAME, parameter_space, properties, ["choice"])


class BayesianParameterSampling(HyperParameterSampling):
    """Chooses by what earlier choices gave.

    Args:
        parameter_space: Parameter name -> choice(...), uniform(...) or quniform(...).
        properties: Kept.

    Raises:
        HyperDriveConfigException: There is no space, or it holds another expression or one with too many values.
    """

    SAMPLING_NAME = "BayesianOptimization"

    def __init__(self, parameter_space: Mapping[str, Any], properties: Optional[Mapping[str, Any]] = None) -> None:
        if parameter_space is None:
            raise HyperDriveConfigException("BayesianParameterSampling needs a parameter_space.")
        checks = {"choice": _check_choice, "quniform": _check_grid}
        super().__init__(self.SAMPLING_NAME, parameter_space, properties, ["choice", "uniform", "quniform"], checks)


def _check_space(owner: str, space: Any, supported: Optional[Iterable[str]], validators: Mapping[str, Callable[[List[Any]], None]]) -> None:
    if space is None:
        return
    if not isinstance(space, Mapping):
        raise HyperDriveConfigException(f"The parameter_space of {owner} must be a dictionary, not a {type(space).__name__}.")
    for name, expression in space.items():
        kind = distribution_of(expression)
        if supported is not None and kind not in supported:
            shown = f"the expression '{kind}'" if kind else f"the value {expression!r:.60}"
            raise HyperDriveConfigException(
                f"{owner} can't choose from {shown} of the parameter '{name}'. It takes {', '.join(sorted(supported))}."
            )
        if kind in validators:
            try:
                validators[kind](expression[1])
            except ValueError as error:
                raise HyperDriveConfigException(f"{owner}: the parameter '{name}': {error}") from None


def distribution_of(expression: Any) -> str:
    """Return the name of an expression; '' for a constant."""
    is_expression = isinstance(expression, (list, tuple)) and len(expression) == 2 and isinstance(expression[1], (list, tuple))
    return expression[0] if is_expression and isinstance(expression[0], str) else ""


def _check_choice(arguments: List[Any]) -> None:
    kinds = {type(value) for value in arguments[0]}
    if not kinds <= {int, str, float} or (str in kinds and len(kinds) > 1):
        raise ValueError("its values must be all numbers, or all texts.")


def _check_grid(arguments: List[Any]) -> None:
    low, high, q = arguments
    if not all(isinstance(value, int) for value in (low, high)):
        raise ValueError("the bounds of quniform must be whole numbers.")
    if (high - low) / q > _MOST_POINTS:
        raise ValueError(f"quniform has more than {_MOST_POINTS} values.")


__all__ = ["BayesianParameterSampling", "GridParameterSampling", "HyperParameterSampling", "RandomParameterSampling"]
