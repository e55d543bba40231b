"""Conditions on columns, computed for many rows at once: the same answers as `penstock.model.expressions.evaluate` gives row by row."""

from __future__ import annotations

from typing import Any, Callable, Dict, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from penstock.model.errors import Invalid, NotFound
from penstock.model.expressions import (
    ARITHMETIC,
    COMPARISONS,
    LOGIC,
    NUMBER,
    SHOWN,
    TEXT,
    TEXT_TESTS,
    TIME,
    TRUTH,
    apply,
    comparable,
    kind_of,
    parse_time,
    rule_of,
    wrong_comparison,
    wrong_kind,
)

ERRORS_OF = "\0errors of "  # begins the name of a column that tells where another one could not be read


class Value(NamedTuple):
    """A part of an expression, computed: an Arrow array, or a constant. `kind` is None where all is null."""

    kind: Optional[str]
    array: Any = None
    constant: Any = None

    @property
    def is_constant(self) -> bool:
        """Whether it is the same for all rows."""
        return self.array is None


def select(batch: Any, expression: Any) -> Any:
    """Return the rows of a record batch or table for which an expression is true.

    Raises:
        NotFound: There is no such column.
        Invalid: Values of these kinds can't be compared or combined, or the expression is not a condition.
    """
    found = _compute(expression, batch)
    if found.kind not in (TRUTH, None):
        raise Invalid(f"A filter's expression must be true or false for each row; this one gives {SHOWN[str(found.kind)]}.")
    if found.is_constant or found.kind is None:
        return batch if found.constant is True else batch.slice(0, 0)
    return batch.filter(found.array)


def _compute(expression: Any, batch: Any) -> Value:
    if "column" in expression:
        return _column(expression["column"], batch)
    if "value" in expression:
        return _constant(expression["value"])
    if "time" in expression:
        return _constant(parse_time(expression["time"]))
    if expression["call"] == "is_error":
        return _is_error(expression["arguments"][0], batch)
    return _call(expression["call"], [_compute(argument, batch) for argument in expression["arguments"]])


def _constant(value: Any) -> Value:
    if isinstance(value, int) and not isinstance(value, bool) and not -(2**63) <= value < 2**63:
        value = float(value)
    return Value(None if value is None else kind_of(value), constant=value)


def _column(name: str, batch: Any) -> Value:
    import pyarrow as pa

    position = batch.schema.get_field_index(name)
    if position < 0:
        raise NotFound.named("column", name, (known for known in batch.schema.names if not known.startswith(ERRORS_OF)))
    values = batch.column(position)
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks() if values.num_chunks != 1 else values.chunk(0)
    return _of_array(values, name)


def _of_array(values: Any, name: str) -> Value:
    import pyarrow as pa

    types = pa.types
    if types.is_null(values.type) or values.null_count == len(values):
        return Value(None, values)
    if types.is_boolean(values.type):
        return Value(TRUTH, values)
    if types.is_integer(values.type) or types.is_floating(values.type):
        return Value(NUMBER, values)
    if types.is_string(values.type):
        return Value(TEXT, values)
    if types.is_timestamp(values.type):
        return Value(TIME, values.cast(pa.timestamp("us"), safe=False))
    raise Invalid(f"The column '{name}' holds {values.type}; a filter works with numbers, texts, times, true and false.")


def _is_error(argument: Any, batch: Any) -> Value:
    if "column" in argument:
        _column(argument["column"], batch)
        position = batch.schema.get_field_index(ERRORS_OF + argument["column"])
        if position >= 0:
            return Value(TRUTH, batch.column(position))
    return _constant(False)


def _call(name: str, values: List[Value]) -> Value:
    import pyarrow as pa
    import pyarrow.compute as pc

    if all(value.is_constant for value in values):
        return _constant(apply(name, *(value.constant for value in values)))
    if name in COMPARISONS:
        return _compare(name, *values)
    if name in LOGIC:
        return _decide(name, values)
    if name == "is_null":
        return Value(TRUTH, pc.is_null(values[0].array, nan_is_null=values[0].kind == NUMBER))
    for value, kind in zip(values, rule_of(name).arguments):
        if value.kind not in (kind, None) and not (kind == NUMBER and value.kind == TRUTH):
            raise wrong_kind(name, kind, str(value.kind), value.constant)
    if any(value.kind is None for value in values):
        return Value(None, pa.nulls(next(len(value.array) for value in values if not value.is_constant)))
    compute = _COMPUTED.get(name)
    return (compute(name, values) if compute else None) or _row_by_row(name, values)


def _row_by_row(name: str, values: Sequence[Value]) -> Value:
    """What the libraries have no function for, or another opinion about than Python."""
    import pyarrow as pa

    length = next(len(value.array) for value in values if not value.is_constant)
    columns = [[value.constant] * length if value.is_constant else value.array.to_pylist() for value in values]
    found = [apply(name, *row) for row in zip(*columns)]
    kind = _GIVES.get(name, TRUTH)
    types = {TRUTH: pa.bool_(), TEXT: pa.string()}
    if kind == NUMBER:
        whole = all(item is None or isinstance(item, int) for item in found)
        return Value(kind, pa.array(found, pa.int64()) if whole else pa.array([None if item is None else float(item) for item in found]))
    return Value(kind, pa.array(found, types[kind]))


_GIVES = {**dict.fromkeys((*ARITHMETIC, "length", "index_of"), NUMBER), **dict.fromkeys(("substring", "to_upper", "to_lower"), TEXT)}


def _operand(value: Value) -> Any:
    """An array, or a scalar that Arrow computes with."""
    import pyarrow as pa

    if not value.is_constant:
        return value.array
    types = {TIME: pa.timestamp("us"), TEXT: pa.string(), TRUTH: pa.bool_(), None: pa.null()}
    return pa.scalar(value.constant, types[value.kind]) if value.kind != NUMBER else pa.scalar(value.constant)


def _number(value: Value) -> Any:
    """An operand as a number: true and false are 1 and 0."""
    import pyarrow as pa

    operand = _operand(value)
    return operand.cast(pa.int64()) if value.kind == TRUTH else operand


# ---- comparisons and logic ----


def _compare(name: str, left: Value, right: Value) -> Value:
    import pyarrow.compute as pc

    if left.kind is None or right.kind is None:
        return Value(None, (right if left.is_constant else left).array)
    left, right = _as_time(left, right), _as_time(right, left)
    if not comparable(str(left.kind), str(right.kind)):
        raise wrong_comparison(name, str(left.kind), str(right.kind))
    function = getattr(pc, _ARROW_NAMES[name])
    return Value(TRUTH, function(_number(left), _number(right)))


_ARROW_NAMES = {"eq": "equal", "ne": "not_equal", "lt": "less", "le": "less_equal", "gt": "greater", "ge": "greater_equal"}


def _as_time(value: Value, other: Value) -> Value:
    """A constant text that is compared with times is a time, where it can be."""
    if other.kind == TIME and value.is_constant and value.kind == TEXT:
        moment = parse_time(value.constant)
        return _constant(moment) if moment else value
    return value


def _decide(name: str, values: Sequence[Value]) -> Value:
    import pyarrow as pa
    import pyarrow.compute as pc

    for value in values:
        if value.kind not in (TRUTH, None):
            raise wrong_kind(name, TRUTH, str(value.kind), value.constant)
    length = next(len(value.array) for value in values if not value.is_constant)
    sides = [_operand(value) if value.kind else pa.nulls(length, pa.bool_()) for value in values]
    return Value(TRUTH, (pc.and_kleene if name == "and" else pc.or_kleene)(*sides))


# ---- numbers ----


def _whole(*operands: Any) -> bool:
    import pyarrow as pa

    return all(pa.types.is_integer(operand.type) for operand in operands)


def _arithmetic(name: str, values: Sequence[Value]) -> Value:
    import pyarrow as pa
    import pyarrow.compute as pc

    left, right = (_number(value) for value in values)
    base = {"add": "add", "sub": "subtract", "mul": "multiply"}[name]
    if _whole(left, right):
        try:
            return Value(NUMBER, getattr(pc, f"{base}_checked")(left, right))
        except pa.ArrowInvalid:  # too large for 64 bits
            return _row_by_row(name, values)
    return Value(NUMBER, getattr(pc, base)(left.cast(pa.float64()), right.cast(pa.float64())))


def _division(name: str, values: Sequence[Value]) -> Value:
    """`/`, `//` and `%` as Python has them; what is divided by zero is null."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    left, right = (_number(value) for value in values)
    kind = pa.int64() if name != "div" and _whole(left, right) else pa.float64()
    is_known = pc.fill_null(pc.and_(pc.is_valid(left), pc.and_(pc.is_valid(right), pc.not_equal(right, 0))), False)
    divisor = pc.fill_null(pc.if_else(pc.equal(right, 0), pa.scalar(1, right.type), right), pa.scalar(1, right.type)).cast(kind)
    dividend = pc.fill_null(left, pa.scalar(0, left.type)).cast(kind)
    function = {"div": np.divide, "floordiv": np.floor_divide, "mod": np.remainder}[name]
    with np.errstate(all="ignore"):
        found = function(_to_numpy(dividend), _to_numpy(divisor))
    known = _to_numpy(is_known)
    return Value(NUMBER, pa.array(found, kind, mask=np.broadcast_to(~known, found.shape)))


def _to_numpy(operand: Any) -> Any:
    import numpy as np
    import pyarrow as pa

    return np.array(operand.as_py()) if isinstance(operand, pa.Scalar) else operand.to_numpy(zero_copy_only=False)


# ---- texts ----


def _text_test(name: str, values: Sequence[Value]) -> Optional[Value]:
    import pyarrow.compute as pc

    text, part = values
    if text.is_constant or not part.is_constant:
        return None
    functions: Dict[str, Callable[..., Any]] = {"contains": pc.match_substring, "starts_with": pc.starts_with, "ends_with": pc.ends_with}
    return Value(TRUTH, functions[name](text.array, pattern=part.constant))


def _is_ascii(text: Value) -> bool:
    import pyarrow.compute as pc

    return not text.is_constant and pc.all(pc.string_is_ascii(text.array)).as_py() is not False


def _case(name: str, values: Sequence[Value]) -> Optional[Value]:
    import pyarrow.compute as pc

    function = pc.ascii_upper if name == "to_upper" else pc.ascii_lower
    return Value(TEXT, function(values[0].array)) if _is_ascii(values[0]) else None


def _length(name: str, values: Sequence[Value]) -> Value:
    import pyarrow as pa
    import pyarrow.compute as pc

    return Value(NUMBER, pc.utf8_length(values[0].array).cast(pa.int64()))


def _index_of(name: str, values: Sequence[Value]) -> Optional[Value]:
    import pyarrow as pa
    import pyarrow.compute as pc

    text, part = values
    if not part.is_constant or not part.constant or not _is_ascii(text):
        return None
    return Value(NUMBER, pc.find_substring(text.array, pattern=part.constant).cast(pa.int64()))


def _substring(name: str, values: Sequence[Value]) -> Optional[Value]:
    import pyarrow.compute as pc

    text, start, length = values
    if text.is_constant or not start.is_constant or not length.is_constant:
        return None
    first = max(int(start.constant), 0)
    last = max(int(start.constant) + int(length.constant), 0)
    return Value(TEXT, pc.utf8_slice_codeunits(text.array, start=first, stop=max(first, last)))


_COMPUTED: Dict[str, Callable[[str, Sequence[Value]], Optional[Value]]] = {
    **dict.fromkeys(("add", "sub", "mul"), _arithmetic),
    **dict.fromkeys(("div", "floordiv", "mod"), _division),
    **dict.fromkeys(TEXT_TESTS, _text_test),
    **dict.fromkeys(("to_upper", "to_lower"), _case),
    "length": _length,
    "index_of": _index_of,
    "substring": _substring,
}


# ---- what Parquet files can leave out ----


def bounds_of(expression: Any) -> Iterator[Tuple[str, str, Any]]:
    """Yield (column, comparison, constant) for conditions that must hold for every row that an expression is true for."""
    if "call" not in expression:
        return
    name, arguments = expression["call"], expression["arguments"]
    if name == "and":
        for argument in arguments:
            yield from bounds_of(argument)
    elif name in _ARROW_NAMES and name != "ne":
        left, right = arguments
        if "column" in left and ("value" in right or "time" in right):
            yield left["column"], name, _plain_constant(right)
        elif "column" in right and ("value" in left or "time" in left):
            yield right["column"], _TURNED.get(name, name), _plain_constant(left)


_TURNED = {"lt": "gt", "le": "ge", "gt": "lt", "ge": "le"}


def _plain_constant(part: Mapping[str, Any]) -> Any:
    return part["value"] if "value" in part else parse_time(part["time"])
