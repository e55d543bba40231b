"""What values a parameter of a sweep may have: expressions that are plain lists, ['uniform', [0, 1]]."""

from __future__ import annotations

from typing import Any, List

from azureml.train.hyperdrive.exceptions import HyperDriveConfigException

Expression = List[Any]


def choice(*options: Any) -> Expression:
    """Return the expression of one of some values.

    Args:
        *options: The values; or one list, or one range, of them.

    Raises:
        HyperDriveConfigException: There are none.
    """
    only = options[0] if len(options) == 1 else options
    values = list(only) if isinstance(only, (list, range)) or only is options else [only]
    if not values:
        raise HyperDriveConfigException("choice needs values: choice(1, 2), choice(['a', 'b']) or choice(range(3)).")
    return ["choice", [values]]


def randint(upper: int) -> Expression:
    """Return the expression of a whole number from 0 up to, and without, `upper`.

    Args:
        upper: The bound.

    Raises:
        HyperDriveConfigException: It is no whole number above 0.
    """
    if not isinstance(upper, int) or upper <= 0:
        raise _wrong("randint", "upper", "a whole number above 0", upper)
    return ["randint", [upper]]


def uniform(min_value: float, max_value: float) -> Expression:
    """Return the expression of a number between two.

    Args:
        min_value: The lower bound.
        max_value: The upper bound.

    Raises:
        HyperDriveConfigException: They are no numbers, or the lower is not below the upper.
    """
    return ["uniform", _range("uniform", min_value, max_value)]


def quniform(min_value: float, max_value: float, q: float) -> Expression:
    """Return the expression of round(x / q) * q, for x between two numbers.

    Args:
        min_value: The lower bound.
        max_value: The upper bound.
        q: The distance of the values, a whole number.

    Raises:
        HyperDriveConfigException: They are no numbers, the lower is not below the upper, or q is not whole.
    """
    bounds = _range("quniform", min_value, max_value)
    if not isinstance(q, (int, float)) or q <= 0 or int(q) != q:
        raise _wrong("quniform", "q", "a whole number above 0", q)
    return ["quniform", [*bounds, q]]


def loguniform(min_value: float, max_value: float) -> Expression:
    """Return the expression of exp(x), for x between two numbers: they are logarithms.

    Args:
        min_value: The lower bound.
        max_value: The upper bound.

    Raises:
        HyperDriveConfigException: They are no numbers, or the lower is above the upper.
    """
    return ["loguniform", _range("loguniform", min_value, max_value, may_be_equal=True)]


def qloguniform(min_value: float, max_value: float, q: float) -> Expression:
    """Return the expression of round(exp(x) / q) * q, for x between two numbers.

    Args:
        min_value: The lower bound, a logarithm.
        max_value: The upper bound, a logarithm.
        q: The distance of the values.

    Raises:
        HyperDriveConfigException: They are no numbers, the lower is above the upper, or q is not above 0.
    """
    return ["qloguniform", [*_range("qloguniform", min_value, max_value, may_be_equal=True), _step("qloguniform", q)]]


def normal(mu: float, sigma: float) -> Expression:
    """Return the expression of a normally distributed number.

    Args:
        mu: The mean.
        sigma: The standard deviation.

    Raises:
        HyperDriveConfigException: They are no numbers, or sigma is below 0.
    """
    return ["normal", _normal("normal", mu, sigma)]


def qnormal(mu: float, sigma: float, q: float) -> Expression:
    """Return the expression of round(x / q) * q, for a normally distributed x.

    Args:
        mu: The mean.
        sigma: The standard deviation.
        q: The distance of the values.

    Raises:
        HyperDriveConfigException: They are no numbers, sigma is below 0, or q is not above 0.
    """
    return ["qnormal", [*_normal("qnormal", mu, sigma), _step("qnormal", q)]]


def lognormal(mu: float, sigma: float) -> Expression:
    """Return the expression of exp(x), for a normally distributed x.

    Args:
        mu: The mean of x.
        sigma: The standard deviation of x.

    Raises:
        HyperDriveConfigException: They are no numbers, or sigma is below 0.
    """
    return ["lognormal", _normal("lognormal", mu, sigma)]


def qlognormal(mu: float, sigma: float, q: float) -> Expression:
    """Return the expression of round(exp(x) / q) * q, for a normally distributed x.

    Args:
        mu: The mean of x.
        sigma: The standard deviation of x.
        q: The distance of the values.

    Raises:
        HyperDriveConfigException: They are no numbers, sigma is below 0, or q is not above 0.
    """
    return ["qlognormal", [*_normal("qlognormal", mu, sigma), _step("qlognormal", q)]]


def _wrong(function: str, name: str, wanted: str, given: Any) -> HyperDriveConfigException:
    return HyperDriveConfigException(f"{name} of {function} must be {wanted}, not {given!r:.60}.")


def _number(function: str, name: str, value: Any) -> Any:
    if not isinstance(value, (int, float)) or value != value:
        raise _wrong(function, name, "a number", value)
    return value


def _range(function: str, low: Any, high: Any, may_be_equal: bool = False) -> List[Any]:
    _number(function, "min_value", low), _number(function, "max_value", high)
    if low > high or (low == high and not may_be_equal):
        raise HyperDriveConfigException(f"min_value of {function} must be below max_value, and {low!r} is not below {high!r}.")
    return [low, high]


def _normal(function: str, mu: Any, sigma: Any) -> List[Any]:
    _number(function, "mu", mu)
    if _number(function, "sigma", sigma) < 0:
        raise _wrong(function, "sigma", "a number, 0 or above", sigma)
    return [mu, sigma]


def _step(function: str, q: Any) -> Any:
    if _number(function, "q", q) <= 0:
        raise _wrong(function, "q", "a number above 0", q)
    return q


__all__ = ["choice", "lognormal", "loguniform", "normal", "qlognormal", "qloguniform", "qnormal", "quniform", "randint", "uniform"]
