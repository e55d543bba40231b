"""What `dataset['column']` gives: conditions on columns, built as a tree and evaluated when the dataset is read."""

from __future__ import annotations

from typing import Any, Dict, NoReturn

Tree = Dict[str, Any]

_SIGNS = {
    "eq": "==",
    "ne": "!=",
    "lt": "<",
    "le": "<=",
    "gt": ">",
    "ge": ">=",
    "and": "&",
    "or": "|",
    "add": "+",
    "sub": "-",
    "mul": "*",
    "div": "/",
    "floordiv": "//",
    "mod": "%",
    "pow": "**",
}


class DatasetExpression:
    """A column of a dataset, or what is computed from columns. Comparing and combining make new expressions; nothing is read.

    Args:
        tree: The expression as a JSON value.
    """

    def __init__(self, tree: Tree) -> None:
        self._tree = tree

    def __repr__(self) -> str:
        return _shown(self._tree)

    def __bool__(self) -> NoReturn:
        raise RuntimeError(
            f"{self!r} has no truth value before the dataset is read. Combine conditions with &, | and ~ instead of and, or and not, "
            "each in parentheses: (dataset['a'] > 1) & (dataset['b'] < 2)."
        )

    __hash__ = object.__hash__

    # ---- compare ----

    def __eq__(self, other: Any) -> Any:
        return _call("eq", self, other)

    def __ne__(self, other: Any) -> Any:
        return _call("ne", self, other)

    def __lt__(self, other: Any) -> DatasetExpression:
        return _call("lt", self, other)

    def __le__(self, other: Any) -> DatasetExpression:
        return _call("le", self, other)

    def __gt__(self, other: Any) -> DatasetExpression:
        return _call("gt", self, other)

    def __ge__(self, other: Any) -> DatasetExpression:
        return _call("ge", self, other)

    # ---- combine ----

    def __and__(self, other: Any) -> DatasetExpression:
        return _call("and", self, other)

    def __rand__(self, other: Any) -> DatasetExpression:
        return _call("and", other, self)

    def __or__(self, other: Any) -> DatasetExpression:
        return _call("or", self, other)

    def __ror__(self, other: Any) -> DatasetExpression:
        return _call("or", other, self)

    def __invert__(self) -> DatasetExpression:
        return _call("not", self)

    # ---- compute ----

    def __add__(self, other: Any) -> DatasetExpression:
        return _call("add", self, other)

    def __radd__(self, other: Any) -> DatasetExpression:
        return _call("add", other, self)

    def __sub__(self, other: Any) -> DatasetExpression:
        return _call("sub", self, other)

    def __rsub__(self, other: Any) -> DatasetExpression:
        return _call("sub", other, self)

    def __mul__(self, other: Any) -> DatasetExpression:
        return _call("mul", self, other)

    def __rmul__(self, other: Any) -> DatasetExpression:
        return _call("mul", other, self)

    def __truediv__(self, other: Any) -> DatasetExpression:
        return _call("div", self, other)

    def __rtruediv__(self, other: Any) -> DatasetExpression:
        return _call("div", other, self)

    def __floordiv__(self, other: Any) -> DatasetExpression:
        return _call("floordiv", self, other)

    def __rfloordiv__(self, other: Any) -> DatasetExpression:
        return _call("floordiv", other, self)

    def __mod__(self, other: Any) -> DatasetExpression:
        return _call("mod", self, other)

    def __rmod__(self, other: Any) -> DatasetExpression:
        return _call("mod", other, self)

    def __pow__(self, other: Any) -> DatasetExpression:
        return _call("pow", self, other)

    def __rpow__(self, other: Any) -> DatasetExpression:
        return _call("pow", other, self)

    # ---- texts, nulls and errors ----

    def contains(self, value: Any) -> DatasetExpression:
        """Return whether the text holds another one."""
        return _call("contains", self, value)

    def starts_with(self, value: Any) -> DatasetExpression:
        """Return whether the text begins with another one."""
        return _call("starts_with", self, value)

    def ends_with(self, value: Any) -> DatasetExpression:
        """Return whether the text ends with another one."""
        return _call("ends_with", self, value)

    def substring(self, start: Any, length: Any) -> DatasetExpression:
        """Return the part of the text that begins at `start`, counted from 0, and is `length` characters long."""
        return _call("substring", self, start, length)

    def index_of(self, value: Any) -> DatasetExpression:
        """Return where another text begins in this one, counted from 0; -1 where it does not occur."""
        return _call("index_of", self, value)

    def length(self) -> DatasetExpression:
        """Return how many characters the text has."""
        return _call("length", self)

    def to_upper(self) -> DatasetExpression:
        """Return the text in capitals."""
        return _call("to_upper", self)

    def to_lower(self) -> DatasetExpression:
        """Return the text in small letters."""
        return _call("to_lower", self)

    def is_null(self) -> DatasetExpression:
        """Return whether there is no value."""
        return _call("is_null", self)

    def is_error(self) -> DatasetExpression:
        """Return whether the value could not be read as its column's type."""
        return _call("is_error", self)


def column(name: Any) -> DatasetExpression:
    """Return the expression for a column.

    Raises:
        UserErrorException: The name is not a text.
    """
    if not isinstance(name, str):
        from azureml.exceptions import UserErrorException

        raise UserErrorException(f"dataset[...] takes the name of one column, not {name!r}. Use keep_columns for several.")
    return DatasetExpression({"column": name})


def condition_of(expression: Any) -> Tree:
    """Return the JSON form of a filter's condition.

    Raises:
        UserErrorException: It is no expression of a dataset's columns.
    """
    from azureml.exceptions import UserErrorException
    from penstock.model.errors import Invalid
    from penstock.model.expressions import check

    if isinstance(expression, DatasetExpression):
        try:
            check(expression._tree)
        except Invalid as error:
            raise UserErrorException(error.message) from None
        return expression._tree

    raise UserErrorException(
        f"filter takes an expression of the dataset's columns, not {expression!r}. "
        "Write it as dataset.filter(dataset['id'] > 2); combine conditions with &, | and ~."
    )


def _call(name: str, *operands: Any) -> DatasetExpression:
    return DatasetExpression({"call": name, "arguments": [_operand(operand) for operand in operands]})


def _operand(value: Any) -> Tree:
    from datetime import date, datetime

    if isinstance(value, DatasetExpression):
        return value._tree
    if isinstance(value, datetime):
        return {"time": _time(value)}
    if isinstance(value, date):
        return {"time": f"{value.isoformat()}T00:00:00"}
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        raise _refused(value)
    if value is None or isinstance(value, (bool, int, float, str)):
        return {"value": value}
    return _foreign(value)


def _time(value: Any) -> str:
    """A time's text. Columns hold UTC without a zone, so a time with one is converted."""
    from datetime import timezone

    if value.tzinfo is not None:
        value = value.astimezone(timezone.utc).replace(tzinfo=None)
    return str(value.isoformat())


def _foreign(value: Any) -> Tree:
    """Values of other libraries: numpy's numbers and times know the plain value that they stand for; decimals are numbers."""
    from decimal import Decimal

    if isinstance(value, Decimal):
        return {"value": float(value)}
    if type(value).__module__ == "numpy" and getattr(value, "ndim", None) == 0:
        plain = value.astype("datetime64[us]").item() if value.dtype.kind == "M" else value.item()
        if type(plain).__module__ != "numpy":
            return _operand(plain)
    raise _refused(value)


def _refused(value: Any) -> Exception:
    from azureml.exceptions import UserErrorException

    return UserErrorException(
        f"A column can't be compared or combined with {value!r}, a {type(value).__name__}: use text, a finite number, True, False, None, "
        "a datetime, or another column of the dataset. Ask for missing values with is_null()."
    )


def _shown(tree: Tree) -> str:
    if "column" in tree:
        return f"dataset[{tree['column']!r}]"
    if "call" not in tree:
        return repr(tree["value"] if "value" in tree else tree["time"])
    name, operands = tree["call"], [_shown(item) for item in tree["arguments"]]
    if name == "not":
        return f"~{operands[0]}"
    if name in _SIGNS:
        return f"({operands[0]} {_SIGNS[name]} {operands[1]})"
    return f"{operands[0]}.{name}({', '.join(operands[1:])})"
