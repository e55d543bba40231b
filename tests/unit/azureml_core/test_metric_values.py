"""What becomes of the values that trainings log: numbers of every library, and things that are no values at all."""

from __future__ import annotations

import json
import math
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy
import pandas
import pytest
from hypothesis import given
from hypothesis import strategies as st

from azureml.core._run_metrics import RunMetrics, is_image, scalar, scalars
from azureml.exceptions import AzureMLException, UserErrorException
from penstock.model.metrics import LIST, SCALAR, TABLE, Shapes, shape


class Kept(RunMetrics):
    """A run that only keeps its records, as they come back from a line of JSON."""

    def __init__(self) -> None:
        self._run_id = "r"
        self.records: list[dict[str, Any]] = []

    def _write_metric(self, record: dict[str, Any]) -> None:
        self.records.append(json.loads(json.dumps(record)))

    def get_metrics(self) -> dict[str, Any]:  # type: ignore[override]
        return shape(self.records)


class Tensor:
    """Like one of torch: what it holds comes out of `item` or `tolist`; its text is long."""

    def __init__(self, *values: Any, shape: tuple[int, ...] = ()) -> None:
        self._values, self.shape = values, shape

    def item(self) -> Any:
        return self._values[0]

    def tolist(self) -> list[Any]:
        return list(self._values)

    def __iter__(self) -> Any:
        return (Tensor(value) for value in self._values)

    def __repr__(self) -> str:
        return f"tensor({list(self._values)})"


class EagerTensor:
    """Like one of TensorFlow, which has `numpy` and no `item`."""

    def __init__(self, value: Any) -> None:
        self._value = value

    def numpy(self) -> Any:
        return self._value


class Gone:
    """A tensor on a device that is gone: whatever is asked of it fails."""

    shape = ()

    def item(self) -> Any:
        raise RuntimeError("device-side assert triggered")

    def __repr__(self) -> str:
        raise RuntimeError("device-side assert triggered")


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        *((kind(5), 5) for kind in (numpy.int8, numpy.int16, numpy.int32, numpy.int64, numpy.uint8, numpy.uint32, numpy.uint64)),
        *((kind(0.5), 0.5) for kind in (numpy.float16, numpy.float32, numpy.float64, numpy.longdouble)),
        (numpy.bool_(True), True),
        (numpy.str_("x"), "x"),
        (numpy.array(7), 7),
        (numpy.array(0.5), 0.5),
        (Tensor(0.25), 0.25),
        (Tensor(numpy.float32(0.25)), 0.25),
        (EagerTensor(numpy.float32(0.25)), 0.25),
        (EagerTensor(numpy.array(3)), 3),
        (10**70, 10**70),
        (-(2**63) - 1, -(2**63) - 1),
    ],
)
def test_a_number_is_a_number_of_whatever_library(value: Any, stored: Any) -> None:
    found = scalar("m", value)
    assert found == stored
    assert type(found) is type(stored)
    json.dumps(found)


@pytest.mark.parametrize("value", [math.nan, numpy.float64("nan"), numpy.float32("nan"), Tensor(math.nan)])
def test_nan_stays(value: Any) -> None:
    run = Kept()
    run.log("m", value)
    assert math.isnan(run.get_metrics()["m"])


@pytest.mark.parametrize("value", [math.inf, -math.inf])
def test_infinity_stays(value: float) -> None:
    run = Kept()
    run.log("m", numpy.float32(value))
    assert run.get_metrics() == {"m": value}


@pytest.mark.parametrize(
    "value",
    [
        b"bytes",
        {"a": 1},
        {1, 2},
        (1, 2),
        1 + 2j,
        Decimal("0.5"),
        numpy.array([1, 2]),
        numpy.array([5]),
        numpy.datetime64("2020-01-01"),
        Tensor(1, 2, shape=(2,)),
        pandas.NaT,
        pandas.Series([1, 2]),
        object,
    ],
)
def test_what_is_no_value_is_stored_as_its_text(value: Any, caplog: pytest.LogCaptureFixture) -> None:
    run = Kept()
    run.log("m", value)
    assert run.get_metrics() == {"m": repr(value)}
    assert "its text is stored" in caplog.text


def test_a_value_that_fails_when_it_is_looked_at_stops_no_training(caplog: pytest.LogCaptureFixture) -> None:
    run = Kept()
    run.log("m", Gone(), step=Gone())  # type: ignore[arg-type]
    assert run.records[0]["value"] == "<Gone>"
    assert run.records[0]["step"] is None
    assert "no whole number" in caplog.text


@pytest.mark.parametrize(
    ("step", "stored"), [(3, 3), (numpy.int64(3), 3), (3.0, 3), ("3", 3), (math.nan, None), (math.inf, None), ("x", None)]
)
def test_steps(step: Any, stored: int | None) -> None:
    run = Kept()
    run.log("m", 1, step=step)
    assert run.records[0]["step"] == stored


def test_an_integer_that_is_too_large_is_refused() -> None:
    with pytest.raises(AzureMLException, match="too large"):
        Kept().log("m", 10**200)


@pytest.mark.parametrize(
    "values",
    [
        numpy.array([1, 2, 3]),
        pandas.Index([1, 2, 3]),
        pandas.Series([1, 2, 3]),
        (number for number in (1, 2, 3)),
        {1: "a", 2: "b", 3: "c"},
        Tensor(1, 2, 3, shape=(3,)),
        [numpy.int64(1), numpy.array(2), Tensor(3)],
    ],
)
def test_lists_of_whatever_library(values: Any) -> None:
    run = Kept()
    run.log_list("m", values)
    assert run.get_metrics() == {"m": [1, 2, 3]}


@pytest.mark.parametrize("values", [5, None, 0.5, numpy.array(5)])
def test_a_single_value_is_no_list(values: Any) -> None:
    with pytest.raises(AzureMLException, match=r"use log\('m'"):
        Kept().log_list("m", values)


@pytest.mark.parametrize("values", [[[1]], [(1,)], [{}], numpy.zeros((2, 2)), [numpy.zeros(2)]])
def test_a_list_is_flat(values: Any) -> None:
    with pytest.raises(AzureMLException, match="flat"):
        Kept().log_list("m", values)


@pytest.mark.parametrize("empty", [{}, {"a": []}, {"a": [], "b": numpy.array([])}])
def test_an_empty_table_leaves_no_trace(empty: dict[str, Any]) -> None:
    run = Kept()
    run.log_table("t", empty)
    run.log_row("r")
    assert run.get_metrics() == {}


def test_tables_of_whatever_library() -> None:
    run = Kept()
    run.log_table("t", {"a": numpy.array([1, 2]), "b": pandas.Series([0.5, 1.0]), "c": ("x", "y")})
    run.log_row("t", a=numpy.int64(3), b=2, c=None)
    assert run.get_metrics() == {"t": {"a": [1, 2, 3], "b": [0.5, 1.0, 2.0], "c": ["x", "y", None]}}


def test_a_name_keeps_the_kind_that_it_began_with(caplog: pytest.LogCaptureFixture) -> None:
    run = Kept()
    run.log("m", 1)
    run.log_row("m", a=1)
    run.log_list("m", [2, 3])
    assert "not stored" in caplog.text
    assert "'m'" in caplog.text
    assert run.get_metrics() == {"m": [1, 2, 3]}
    assert len(run.records) == 3 - 1


def test_a_clash_between_processes_is_found_when_it_is_read() -> None:
    first, second = Kept(), Kept()
    first.log_row("m", a=1)
    second.log("m", 5)
    assert shape(first.records + second.records) == {"m": {"a": 1}}
    assert shape(second.records + first.records) == {"m": 5}


def test_json_metrics_with_odd_keys_are_refused_in_words() -> None:
    with pytest.raises(UserErrorException, match="'c' is not valid JSON"):
        Kept().log_confusion_matrix("c", {("a", "b"): 1})  # type: ignore[dict-item]


@pytest.mark.parametrize(
    ("start", "is_one"), [(b"RIFF1234WEBPVP8 ", True), (b"RIFF1234WAVEfmt ", False), (b"\x89PNG\r\n", True), (b"a,b\n", False)]
)
def test_which_files_are_images(tmp_path: Path, start: bytes, is_one: bool) -> None:
    (tmp_path / "file").write_bytes(start)
    assert is_image(str(tmp_path / "file")) is is_one


# Rules

PLAIN = st.one_of(st.none(), st.booleans(), st.text(max_size=5), st.integers(-(2**53), 2**53), st.floats(allow_nan=False))


@given(st.lists(PLAIN, min_size=1, max_size=8))
def test_values_come_back_in_their_order(values: list[Any]) -> None:
    run = Kept()
    for value in values:
        run.log("m", value)
    found = run.get_metrics()["m"]
    assert found == (values[0] if len(values) == 1 else values)


@given(st.lists(st.one_of(PLAIN, st.lists(PLAIN, max_size=4)), max_size=8))
def test_it_does_not_matter_in_which_portions_values_come(portions: list[Any]) -> None:
    run, flat = Kept(), Kept()
    for portion in portions:
        run.log_list("m", portion) if isinstance(portion, list) else run.log("m", portion)
        for value in portion if isinstance(portion, list) else [portion]:
            flat.log("m", value)
    assert run.get_metrics() == flat.get_metrics()


@given(st.lists(st.one_of(st.integers(-(2**60), 2**60), st.floats(allow_nan=False)), min_size=2, max_size=8))
def test_a_float_among_numbers_makes_all_of_them_floats(values: list[float]) -> None:
    run = Kept()
    run.log_list("m", values)
    kinds = {type(value) for value in run.get_metrics()["m"]}
    assert kinds == ({float} if any(isinstance(value, float) for value in values) else {int})


@given(st.lists(st.tuples(PLAIN, PLAIN), min_size=1, max_size=6), st.booleans())
def test_rows_and_tables_are_the_same(rows: list[tuple[Any, Any]], as_rows: bool) -> None:
    run = Kept()
    if as_rows:
        for a, b in rows:
            run.log_row("t", a=a, b=b)
    else:
        run.log_table("t", {"a": [row[0] for row in rows], "b": [row[1] for row in rows]})
    (columns,) = run.get_metrics().values()
    one = len(rows) == 1
    assert columns == {name: rows[0][place] if one else [row[place] for row in rows] for place, name in enumerate("ab")}


@given(st.lists(st.floats()))
def test_lists_of_numpy_are_lists(values: list[float]) -> None:
    stored = scalars("m", numpy.array(values))
    assert [type(value) for value in stored] == [float] * len(values)
    assert numpy.array_equal(stored, values, equal_nan=True)


def test_a_number_that_no_float_holds_stays_as_it_is() -> None:
    records = [{"name": "m", "kind": SCALAR, "value": value} for value in (0.5, 10**400)]
    assert shape(records) == {"m": [0.5, 10**400]}


def test_files_are_told_from_values() -> None:
    records = [
        {"name": "i", "kind": "image", "value": "aml://x"},
        {"name": "l", "kind": LIST, "value": []},
        {"name": "t", "kind": TABLE, "value": {}},
    ]
    shapes = Shapes(records)
    assert shapes.values() == {"i": "aml://x"}
    assert shapes.artifacts() == ["i"]
