"""Parquet files and JSON lines as tables."""

from __future__ import annotations

import datetime
import decimal
import json

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from penstock.model.datasets import JSON_LINES, PARQUET, QUERY, TABULAR, Dataset, Parsing, Place
from penstock.model.errors import Invalid, NotFound
from penstock.tabular import SourceFile, open_table

TEXT = str(pd.Series(["x"]).dtype)  # the type that this pandas gives texts


def parquet(tables, *arrow, **about):
    paths = []
    for number, table in enumerate(arrow):
        paths.append(tables.folder / f"x{number}.parquet")
        pq.write_table(table, paths[-1], row_group_size=100, version="2.6")
    return tables.over(paths, about.pop("operations", ()), kind=about.pop("kind", PARQUET), **about)


# ---- Parquet ----


@pytest.mark.parametrize(
    ("values", "dtype", "expected"),
    [
        (pa.array([1, 2], pa.int8()), "int64", [1, 2]),
        (pa.array([1, None], pa.int32()), "float64", [1.0, None]),
        (pa.array([1.5, None], pa.float32()), "float64", [1.5, None]),
        (pa.array([True, False]), "bool", [True, False]),
        (pa.array([True, None]), "object", [True, None]),
        (pa.array(["x", None]), TEXT, ["x", None]),
        (pa.array(["x", None], pa.large_string()), TEXT, ["x", None]),
        (pa.array(["x", "y"]).dictionary_encode(), TEXT, ["x", "y"]),
        (pa.array([None, None], pa.null()), "object", [None, None]),
        (pa.array([decimal.Decimal("1.5"), None]), "float64", [1.5, None]),
        (pa.array([datetime.date(2020, 1, 2), None]), "datetime64[ns]", [pd.Timestamp("2020-01-02"), None]),
        (pa.array([1, None], pa.timestamp("ms")), "datetime64[ns]", [pd.Timestamp("1970-01-01T00:00:00.001"), None]),
        (pa.array([0], pa.timestamp("us", "Europe/Rome")), "datetime64[ns]", [pd.Timestamp("1970-01-01")]),
        (pa.array([123456789], pa.timestamp("ns")), "datetime64[ns]", [pd.Timestamp(123456789)]),
        (pa.array([b"ab", None]), "object", [b"ab", None]),
        (pa.array([{"a": 1}, None]), "object", [{"a": 1}, None]),
    ],
)
def test_types_of_parquet(tables, values, dtype, expected):
    frame = parquet(tables, pa.table({"x": values})).to_pandas()
    assert str(frame["x"].dtype) == dtype
    assert [None if value is None or value is pd.NaT or value != value else value for value in frame["x"].tolist()] == expected


def test_lists_in_parquet(tables):
    frame = parquet(tables, pa.table({"x": pa.array([[1, 2], [], None])})).to_pandas()
    assert [None if value is None else list(value) for value in frame["x"]] == [[1, 2], [], None]


def test_columns_of_several_files_are_joined_by_name(tables):
    table = parquet(tables, pa.table({"a": [1], "b": ["x"]}), pa.table({"b": ["y"], "a": [2.5]}), pa.table({"c": [True]}))
    frame = table.to_pandas().astype(object)
    assert frame.where(frame.notna(), None).values.tolist() == [[1.0, "x", None], [2.5, "y", None], [None, None, True]]


def test_a_column_with_several_types_becomes_text(tables):
    frame = parquet(tables, pa.table({"a": [1]}), pa.table({"a": ["x"]}), pa.table({"a": [1.0]})).to_pandas()
    assert frame["a"].tolist() == ["1", "x", "1.0"]


def test_path_partitions_and_given_types(tables):
    table = parquet(
        tables,
        pa.table({"n": ["1", "x"], "d": ["31/01/2020", None]}),
        include_path=True,
        partitions=[{"city": "Rome"}],
        column_types={"n": {"type": "long"}, "d": {"type": "datetime", "formats": ["%d/%m/%Y"]}},
    )
    frame = table.to_pandas()
    assert list(frame.columns) == ["Path", "city", "n", "d"]
    assert (frame["Path"].tolist(), frame["n"].tolist()[0], frame["d"].tolist()[0]) == (
        ["/x0.parquet"] * 2,
        1.0,
        pd.Timestamp("2020-01-31"),
    )
    with pytest.raises(Invalid, match=r"'/x0.parquet': 'x' in the column 'n'"):
        table.to_pandas(on_error="fail")


def test_a_files_own_column_has_its_own_type_where_its_path_names_it_too(tables):
    frame = parquet(tables, pa.table({"a": [1, 2], "year": [2020, 2021]}), partitions=[{"year": "x"}]).to_pandas()
    assert frame.to_dict("list") == {"year": [2020, 2021], "a": [1, 2]}


def test_counting_rows_reads_no_rows(tables):
    rows = pa.table({"a": range(1000)})
    assert parquet(tables, rows, rows).count_rows() == 2000
    assert parquet(tables, rows, operations=[("skip", {"count": 10}), ("take", {"count": 5})]).count_rows() == 5
    assert parquet(tables, rows, kind=QUERY).count_rows() == 1000


def test_what_is_no_parquet_is_named(tables):
    with pytest.raises(Invalid, match=r"'/file1.parquet' can't be read as Parquet"):
        tables.over([tables.write("a,b\n", "parquet")], kind=PARQUET).to_pandas()
    with pytest.raises(NotFound, match=r"'/gone.parquet' is not there"):
        tables.over([tables.folder / "gone.parquet"], kind=PARQUET).to_pandas()


# ---- JSON lines ----


def lines(tables, *texts, **about):
    return tables.over([tables.write(text, "jsonl") for text in texts], about.pop("operations", ()), kind=JSON_LINES, **about)


def test_json_lines(tables):
    text = '{"a": 1, "b": "x", "c": true}\n\n{"a": 2, "c": false, "b": null}\r\n{"d": "2020-01-01", "a": 3}'
    frame = lines(tables, text).to_pandas()
    found = frame.astype(object).where(frame.notna(), None).to_dict("list")
    assert found == {"a": [1, 2, 3], "b": ["x", None, None], "c": [True, False, None], "d": [None, None, "2020-01-01"]}


def test_nested_values(tables):
    rows = [{"a": {"x": 1}}, {"a": [1, {"y": None}]}, {"a": None}, {"a": "text"}, {"a": 5}]
    table = lines(tables, "".join(json.dumps(row) + "\n" for row in rows))
    assert table.to_pandas()["a"].tolist() == [row["a"] for row in rows]


def test_keys_far_behind_the_first_ones(tables):
    text = '{"a": 1}\n' * 300 + '{"a": 2.5, "b": [1]}\n'
    frame = lines(tables, text).to_pandas()
    assert (frame["a"].tolist()[-1], frame["b"].tolist()[-1], str(frame["a"].dtype)) == (2.5, [1], "float64")
    found = lines(tables, text, operations=[("filter", {"expression": {"call": "is_null", "arguments": [{"column": "b"}]}})])
    assert found.count_rows() == 300


@pytest.mark.parametrize("line", ["oops", "{'a': 1}", "[1]", "5", '{"a": 1}{"a": 2}', '{"a": 1', '"' + "[" * 10])
def test_lines_that_are_no_objects(tables, line):
    text = '{"a": 1}\n' * 300 + line + '\n{"a": 2}\n'
    with pytest.raises(Invalid, match=r"'/file1.jsonl', line 301: this is not a JSON object"):
        lines(tables, text).to_pandas()
    assert lines(tables, text, invalid_lines="drop").to_pandas()["a"].tolist() == [*[1] * 300, 2]


def test_json_in_other_encodings(tables):
    text = '{"ä": "é"}\n'
    assert lines(tables, text.encode("utf-16"), encoding="utf16").to_pandas().to_dict("list") == {"ä": ["é"]}
    with pytest.raises(Invalid, match="not text in the encoding utf8: byte 7 "):
        lines(tables, '{"a": "é"}\n'.encode("latin-1")).to_pandas()


def test_given_types_in_json(tables):
    table = lines(tables, '{"a": "1", "b": 2}\n{"a": "x", "b": 3}\n', column_types={"a": {"type": "long"}, "b": {"type": "string"}})
    frame = table.to_pandas()
    assert (frame["a"].tolist()[0], frame["b"].tolist()) == (1.0, ["2", "3"])
    with pytest.raises(Invalid, match="'x' in the column 'a' can't be read as long"):
        table.to_pandas(on_error="fail")


@given(
    some.lists(
        some.dictionaries(
            some.sampled_from("abc"),
            some.none() | some.booleans() | some.integers(-(2**70), 2**70) | some.floats(allow_nan=False) | some.text(max_size=3),
            min_size=1,
        ),
        min_size=1,
        max_size=15,
    )
)
@settings(max_examples=150, deadline=None)
def test_json_values_come_back(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("json") / "x.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    dataset = Dataset(TABULAR, (Place(url="x"),), parsing=Parsing(JSON_LINES))
    frame = open_table(dataset, [SourceFile(str(path), "/x.jsonl", {})]).to_pandas()
    for name in {name for row in rows for name in row}:
        for found, row in zip(frame[name].tolist(), rows, strict=True):
            expected = row.get(name)
            assert found is None or found != found if expected is None else found == expected or found == float(expected)
