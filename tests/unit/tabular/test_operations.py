"""What is done to rows: fewer of them, fewer columns, by place, by chance and by conditions."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from penstock.model.errors import Invalid, NotFound
from penstock.model.expressions import ARITHMETIC, COMPARISONS, LOGIC, TEXT_TESTS, check, columns_of, evaluate, parse_time
from penstock.tabular import blocks
from penstock.tabular.filters import select
from penstock.tabular.operations import random_numbers

NUMBERS = "n\n" + "".join(f"{number}\n" for number in range(1000))


def take(count):
    return ("take", {"count": count})


def skip(count):
    return ("skip", {"count": count})


def keep(*columns):
    return ("keep_columns", {"columns": list(columns)})


def drop(*columns):
    return ("drop_columns", {"columns": list(columns)})


def split(start, end, seed=1):
    return ("split", {"start": start, "end": end, "seed": seed})


def where(name, *arguments):
    return ("filter", {"expression": call(name, *arguments)})


def call(name, *arguments):
    return {"call": name, "arguments": [item if isinstance(item, dict) else {"value": item} for item in arguments]}


def col(name):
    return {"column": name}


@pytest.fixture
def small_blocks(monkeypatch):
    """Files come in many pieces."""
    monkeypatch.setattr(blocks, "FIRST_SIZE", 64)
    monkeypatch.setattr(blocks, "SIZE", 64)


# ---- by place ----


@pytest.mark.parametrize(
    ("operations", "expected"),
    [
        ([take(3)], [0, 1, 2]),
        ([skip(997)], [997, 998, 999]),
        ([skip(10), take(2)], [10, 11]),
        ([take(10), skip(8)], [8, 9]),
        ([take(5), take(3), take(4)], [0, 1, 2]),
        ([skip(2), skip(3), take(1)], [5]),
        ([skip(2000)], []),
        ([take(2000), skip(999)], [999]),
        ([where("ge", col("n"), 990), skip(8)], [998, 999]),
        ([skip(8), where("le", col("n"), 10)], [8, 9, 10]),
        ([take(5), where("gt", col("n"), 2)], [3, 4]),
        ([where("gt", col("n"), 2), take(2)], [3, 4]),
    ],
)
def test_operations_are_done_in_order(tables, small_blocks, operations, expected):
    table = tables(NUMBERS, *operations)
    assert table.to_pandas()["n"].tolist() == expected
    assert table.count_rows() == len(expected)


def test_taking_no_rows_leaves_no_columns(tables):
    table = tables(NUMBERS, take(0))
    assert table.to_pandas().shape == (0, 0)
    assert (table.column_names(), table.count_rows()) == ([], 0)
    assert tables(NUMBERS, take(0), split(0.0, 0.5)).to_pandas().shape == (0, 0)


def test_take_stops_reading(tables, small_blocks):
    paths = [tables.write(NUMBERS), tables.write("n\n1\n")]
    table = tables.over(paths, [take(300)])
    paths[1].unlink()  # it would be read if the first file had not enough
    assert len(table.to_pandas()) == 300


# ---- by chance ----


@given(
    rows=some.integers(0, 3000),
    cuts=some.lists(some.floats(0, 1), min_size=1, max_size=4),
    seed=some.integers(),
    size=some.sampled_from([7, 100, 10_000]),
)
@settings(deadline=None)
def test_parts_of_a_split_are_disjoint_and_cover(rows, cuts, seed, size):
    whole = random_numbers(seed, 0, rows)
    pieces = [random_numbers(seed, start, min(size, rows - start)) for start in range(0, rows, size)]
    assert [number for piece in pieces for number in piece] == whole.tolist()
    edges = [0.0, *sorted(cuts), 1.0]
    parts = [((whole >= low) & (whole < high)).sum() for low, high in pairwise(edges)]
    assert sum(parts) == rows


def test_a_split_of_a_table(tables, small_blocks):
    train, test = (tables(NUMBERS, part).to_pandas()["n"].tolist() for part in (split(0.0, 0.7), split(0.7, 1.0)))
    assert sorted(train + test) == list(range(1000))
    assert 650 < len(train) < 750
    assert tables(NUMBERS, split(0.0, 0.7)).to_pandas()["n"].tolist() == train
    assert tables(NUMBERS, split(0.0, 0.7, seed=2)).to_pandas()["n"].tolist() != train


def test_a_sample(tables):
    found = tables(NUMBERS, ("sample", {"probability": 0.3, "seed": 5})).to_pandas()["n"].tolist()
    assert 250 < len(found) < 350
    assert found == sorted(found)
    assert tables(NUMBERS, ("sample", {"probability": 1.0, "seed": 5})).count_rows() == 1000
    assert tables(NUMBERS, ("sample", {"probability": 0.0, "seed": 5})).count_rows() == 0


# ---- columns ----


def test_columns_keep_their_order_and_missing_ones_are_ignored(tables):
    text = "a,b,c\n1,2,3\n"
    assert tables(text, keep("c", "x", "a")).column_names() == ["a", "c"]
    assert tables(text, drop("b", "x")).to_pandas().to_dict("list") == {"a": [1], "c": [3]}
    assert tables(text, ("keep_columns", {"columns": "b"})).to_pandas().to_dict("list") == {"b": [2]}
    assert tables(text, keep("x")).to_pandas().shape[1] == 0


def test_a_dropped_column_can_be_filtered_by_before(tables):
    text = "a,b\n1,2\n3,4\n"
    assert tables(text, where("gt", col("b"), 2), drop("b")).to_pandas().to_dict("list") == {"a": [3]}
    with pytest.raises(NotFound, match="no column 'b'"):
        tables(text, drop("b"), where("gt", col("b"), 2)).to_pandas()


def test_only_wanted_columns_are_read(tables):
    broken = b"a,b\n" + b"1,x\n" * 50_000 + b"2,\xff\n"  # the other column can't be read as text
    assert tables(broken, keep("a")).to_pandas()["a"].tolist() == [*[1] * 50_000, 2]
    parquet = tables.folder / "x.parquet"
    pd.DataFrame({"a": [1, 2], "b": ["x", "y"]}).to_parquet(parquet)
    assert tables.over([parquet], [keep("a")], kind="parquet").to_pandas().to_dict("list") == {"a": [1, 2]}


# ---- conditions ----

TABLE = "i,f,t,b,d\n1,1.5,apple,true,2020-01-01\n2,,Banana,false,2020-02-01T10:00:00\n3,3.5,,,\n4,4.5,grün,true,2021-01-01\n"


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (call("eq", col("i"), 2), [2]),
        (call("ne", col("t"), "apple"), [2, 4]),
        (call("lt", col("i"), col("f")), [1, 3, 4]),
        (call("ge", col("d"), {"time": "2020-02-01T10:00:00"}), [2, 4]),
        (call("gt", col("d"), {"time": "2020-02-01T12:00:00+03:00"}), [2, 4]),
        (call("lt", col("d"), "2020-02-01"), [1]),
        (call("and", call("gt", col("i"), 1), call("is_null", col("f"))), [2]),
        (call("or", call("eq", col("b"), True), call("gt", col("i"), 2)), [1, 3, 4]),
        (call("not", call("eq", col("t"), "apple")), [2, 4]),
        (call("is_null", col("t")), [3]),
        (call("eq", call("mod", col("i"), 2), 1), [1, 3]),
        (call("eq", call("floordiv", col("i"), 2), 1), [2, 3]),
        (call("gt", call("div", col("i"), 2), 1), [3, 4]),
        (call("eq", call("pow", col("i"), 2), 9), [3]),
        (call("eq", call("sub", call("mul", col("i"), 2), call("add", col("i"), 1)), 3), [4]),
        (call("contains", col("t"), "an"), [2]),
        (call("starts_with", col("t"), "ap"), [1]),
        (call("ends_with", col("t"), "n"), [4]),
        (call("eq", call("substring", col("t"), 1, 2), "rü"), [4]),
        (call("eq", call("index_of", col("t"), "n"), 3), [4]),
        (call("eq", call("index_of", col("t"), "zz"), -1), [1, 2, 4]),
        (call("gt", call("length", col("t")), 5), [2]),
        (call("eq", call("to_upper", col("t")), "GRÜN"), [4]),
        (call("eq", call("to_lower", col("t")), "banana"), [2]),
        (call("is_null", call("div", 1, call("sub", col("i"), 3))), [3]),
        (col("b"), [1, 4]),
        ({"value": True}, [1, 2, 3, 4]),
        ({"value": None}, []),
        (call("eq", col("i"), None), []),
        (call("eq", 1, 1), [1, 2, 3, 4]),
    ],
)
def test_conditions(tables, condition, expected):
    assert tables(TABLE, ("filter", {"expression": condition})).to_pandas()["i"].tolist() == expected


def test_errors_are_what_could_not_be_read(tables):
    text = "a,b\n" + "1,x\n" * 200 + "oops,y\n,z\n"
    found = tables(text, where("is_error", col("a"))).to_pandas()
    assert found["b"].tolist() == ["y"]
    assert tables(text, ("filter", {"expression": call("not", call("is_error", col("a")))})).count_rows() == 201


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        (call("gt", col("t"), 5), "compares text with a number"),
        (call("eq", col("d"), 5), "compares a time with a number"),
        (call("gt", col("d"), "soon"), "compares a time with text"),
        (call("add", col("t"), 1), "can't do 'add' with text"),
        (call("contains", col("i"), "1"), "can't do 'contains' with a number"),
        (call("and", col("i"), True), "can't do 'and' with a number"),
        (call("add", col("i"), 1), "must be true or false"),
        (call("eq", col("i"), {"list": 1}), "no part of an expression"),
        (call("between", col("i"), 1), "no function 'between'"),
        ({"call": "eq", "arguments": [{"value": 1}]}, "eq takes 2 arguments"),
        (call("eq", col("d"), {"time": "soon"}), "no time as ISO 8601"),
        ("id > 2", "no part of an expression"),
    ],
)
def test_conditions_that_make_no_sense(tables, condition, message):
    with pytest.raises(Invalid, match=message):
        tables(TABLE, ("filter", {"expression": condition})).to_pandas()


def test_an_absent_column_names_a_near_one(tables):
    with pytest.raises(NotFound, match=r"no column 'prise'.*Did you mean 'price'"):
        tables("price,b\n1,2\n", where("gt", col("prise"), 1)).to_pandas()


def test_nesting_is_bounded():
    deep = {"value": True}
    for _ in range(100_000):
        deep = {"call": "not", "arguments": [deep]}
    with pytest.raises(Invalid, match="too large"):
        check(deep)


def test_time_ranges(tables):
    def between(start, end, first=True, last=True):
        settings = {"column": "d", "start": start, "end": end, "start_inclusive": first, "end_inclusive": last}
        return tables(TABLE, ("time_range", settings)).to_pandas()["i"].tolist()

    assert between("2020-01-01T00:00:00", None) == [1, 2, 4]
    assert between("2020-01-01T00:00:00", None, first=False) == [2, 4]
    assert between(None, "2020-02-01T10:00:00Z") == [1, 2]
    assert between(None, "2020-02-01T10:00:00", last=False) == [1]
    assert between("2020-01-02T00:00:00", "2020-12-31T00:00:00") == [2]
    assert between(None, None) == [1, 2, 4]


def test_the_timestamp_column_is_also_the_index(tables):
    frame = tables("t,a\n2020-01-01,1\n2020-01-02,2\n", timestamp="t").to_pandas()
    assert frame.index.tolist() == frame["t"].tolist()
    assert frame.index.name is None
    assert tables("t,a\n", timestamp="t").to_pandas().index.tolist() == []
    assert tables("t,a\n2020-01-01,1\n", drop("t"), timestamp="t").to_pandas().index.tolist() == [0]


def test_files_that_a_condition_rules_out_are_not_read(tables):
    paths = [tables.write("a\n" + "1\n" * 200), tables.write("a\n2\n")]
    table = tables.over(paths, [where("eq", col("city"), "Oslo")], partitions=[{"city": "Oslo"}, {"city": "Rome"}])
    paths[1].unlink()
    assert table.to_pandas()["a"].tolist() == [1] * 200


# ---- many rows at once and one by one ----

COLUMNS = {
    "i": some.none() | some.integers(-50, 50),
    "j": some.none() | some.integers(-3, 3),
    "f": some.none() | some.floats(-100, 100).map(lambda value: round(value, 2)),
    "b": some.none() | some.booleans(),
    "s": some.none() | some.text(some.sampled_from("abAß é"), max_size=4),
    "t": some.none() | some.datetimes(datetime(1990, 1, 1), datetime(2030, 1, 1)),
}
TYPES = {"i": pa.int64(), "j": pa.int64(), "f": pa.float64(), "b": pa.bool_(), "s": pa.string(), "t": pa.timestamp("us")}


def numbers(depth):
    leaves = some.sampled_from([col("i"), col("j"), col("f"), col("b")]) | some.integers(-5, 5).map(lambda value: {"value": value})
    if depth == 0:
        return leaves
    inner = numbers(depth - 1)
    texts_inside = texts(depth - 1)
    return (
        leaves
        | some.builds(lambda name, a, b: call(name, a, b), some.sampled_from([name for name in ARITHMETIC if name != "pow"]), inner, inner)
        | some.builds(lambda a: call("length", a), texts_inside)
        | some.builds(lambda a, b: call("index_of", a, b), texts_inside, texts_inside)
    )


def texts(depth):
    leaves = some.just(col("s")) | some.text(some.sampled_from("abA"), max_size=2).map(lambda value: {"value": value})
    if depth == 0:
        return leaves
    inner = texts(depth - 1)
    return (
        leaves
        | some.builds(lambda name, a: call(name, a), some.sampled_from(["to_upper", "to_lower"]), inner)
        | some.builds(lambda a, b, c: call("substring", a, {"value": b}, {"value": c}), inner, some.integers(-2, 4), some.integers(-1, 4))
    )


def times():
    return some.just(col("t")) | some.datetimes(datetime(1990, 1, 1), datetime(2030, 1, 1)).map(lambda value: {"time": value.isoformat()})


def truths(depth):
    def compared(side):
        return some.builds(lambda name, a, b: call(name, a, b), some.sampled_from(COMPARISONS), side, side)

    leaves = some.just(col("b")) | compared(numbers(depth)) | compared(texts(depth)) | compared(times())
    leaves |= some.builds(lambda name, a, b: call(name, a, b), some.sampled_from(TEXT_TESTS), texts(1), texts(1))
    leaves |= some.builds(lambda a: call("is_null", a), numbers(1) | texts(1) | times())
    if depth == 0:
        return leaves
    inner = truths(depth - 1)
    return (
        leaves
        | some.builds(lambda name, a, b: call(name, a, b), some.sampled_from(LOGIC), inner, inner)
        | some.builds(lambda a: call("not", a), inner)
    )


@given(rows=some.lists(some.fixed_dictionaries(COLUMNS), min_size=1, max_size=12), condition=truths(2))
@settings(max_examples=600, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_filters_agree_with_evaluation_row_by_row(rows, condition):
    check(condition)
    expected = [number for number, row in enumerate(rows) if evaluate(condition, row) is True]
    names = [*TYPES, "number"]
    arrays = [*(pa.array([row[name] for row in rows], kind) for name, kind in TYPES.items()), pa.array(range(len(rows)))]
    batch = pa.RecordBatch.from_arrays(arrays, names=names)
    assert select(batch, condition).column(names.index("number")).to_pylist() == expected


def test_columns_of_an_expression():
    assert columns_of(call("and", call("gt", col("a"), 1), call("is_null", col("b")))) == {"a", "b"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2020-01-02", datetime(2020, 1, 2)),
        ("2020-01-02T03:04", datetime(2020, 1, 2, 3, 4)),
        ("2020-01-02T03:04:05.123456789Z", datetime(2020, 1, 2, 3, 4, 5, 123456)),
        ("2020-01-02 03:04:05,5+0130", datetime(2020, 1, 2, 1, 34, 5, 500000)),
        ("2020-02-30", None),
        ("soon", None),
        (5, None),
        ("0001-01-01T00:00:00+02:00", None),
    ],
)
def test_times_in_iso_8601(text, expected):
    assert parse_time(text) == expected


def test_row_groups_that_a_filter_rules_out_are_not_read(tables):
    frame = pd.DataFrame({"n": range(1000), "s": [str(number * 7919) for number in range(1000)]})
    path = tables.folder / "x.parquet"
    frame.to_parquet(path, row_group_size=100)
    from penstock.tabular.parquet import ParquetSource
    from penstock.tabular.sources import Reading

    table = tables.over([path], [where("gt", col("n"), 950)], kind="parquet")
    assert table.to_pandas()["n"].tolist() == list(range(951, 1000))
    source = table._source
    assert isinstance(source, ParquetSource)
    for sign, value, rows in (("gt", 950, 100), ("lt", 50, 100), ("eq", 250, 100), ("ge", 1000, 0), ("le", -1, 0)):
        reading = Reading(frozenset(["n"]), bounds=(("n", sign, value),))
        assert sum(batch.num_rows for _, batch in source.batches(reading)) == rows
    assert table.count_rows() == 49
