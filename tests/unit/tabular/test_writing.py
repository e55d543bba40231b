"""Rows as files: delimited, Parquet, by partitions; and figures about columns."""

from __future__ import annotations

import csv
import json
import math
import statistics
from collections import Counter
from datetime import datetime

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from penstock.model.datasets import DELIMITED, FILE, PARQUET, TABULAR, Dataset, Operation, Parsing, Place, Written, format_dataset
from penstock.model.errors import Invalid, NotFound, Unavailable
from penstock.tabular import SourceFile, open_table, write_files_of, writing

# ---- delimited text ----


def write(table, folder, kind=DELIMITED, separator=","):
    names = table.write_files(kind, str(folder), separator)
    assert sorted(path.name for path in folder.iterdir()) == sorted(names)
    return names


def test_one_file_for_each_source(tables, tmp_path):
    names = write(tables(["a,b\n1,x\n", "a,b\n2,y\n3,z\n"]), tmp_path / "out")
    assert names == ["part-0.csv", "part-1.csv"]
    assert [(tmp_path / "out" / name).read_text() for name in names] == ["a,b\n1,x\n", "a,b\n2,y\n3,z\n"]


def test_how_values_are_written(tables, tmp_path):
    text = 'i,f,b,t,d\n1,2.0,true,"x,y",2020-01-02T03:04:05.5\n,,,,\n3,1e20,false,"say ""hi""",2020-01-02\n'
    write(tables(text), tmp_path / "out")
    assert (tmp_path / "out" / "part-0.csv").read_text() == (
        'i,f,b,t,d\n1,2.0,true,"x,y",2020-01-02T03:04:05.500000Z\n,,,,\n3,1e+20,false,"say ""hi""",2020-01-02T00:00:00.000000Z\n'
    )


def test_names_are_quoted_and_empty_tables_have_a_header(tables, tmp_path):
    write(tables('"a,b",c\n'), tmp_path / "out")
    assert (tmp_path / "out" / "part-0.csv").read_text() == '"a,b",c\n'
    write(tables("a\n1\n", ("take", {"count": 0})), tmp_path / "none")
    assert (tmp_path / "none" / "part-0.csv").read_text() == ""


def test_a_single_column_keeps_its_nulls(tables, tmp_path):
    (name,) = write(tables('a\nx\n""\ny\n'), tmp_path / "out")
    assert tables.over([tmp_path / "out" / name]).to_pandas()["a"].fillna("").tolist() == ["x", "", "y"]


def test_nested_values_are_json(tables, tmp_path):
    table = tables.over([tables.write('{"a": {"x": [1, null]}}\n', "jsonl")], kind="json_lines")
    write(table, tmp_path / "out")
    assert (tmp_path / "out" / "part-0.csv").read_text() == 'a\n"{""x"": [1, null]}"\n'


@given(
    rows=some.lists(
        some.tuples(some.none() | some.text(some.sampled_from('ab,;"\n\r|0.5'), max_size=6), some.none() | some.floats()), max_size=30
    ),
    separator=some.sampled_from([",", ";", "\t", "|", "0", "||", "."]),
)
@settings(max_examples=200, deadline=None)
def test_written_text_reads_back(tmp_path_factory, rows, separator):
    folder = tmp_path_factory.mktemp("written")
    pq.write_table(
        pa.table({"t": pa.array([row[0] for row in rows], pa.string()), "f": pa.array([row[1] for row in rows], pa.float64())}),
        folder / "x.parquet",
    )
    source = open_table(Dataset(TABULAR, (Place(url="x"),), parsing=Parsing(PARQUET)), [SourceFile(str(folder / "x.parquet"), "/x", {})])
    (name,) = source.write_files(DELIMITED, str(folder), separator)
    kinds = {"t": {"type": "string"}, "f": {"type": "float"}}
    parsing = Parsing(DELIMITED, separator=separator, support_multi_line=True, empty_as_string=False, column_types=kinds)
    back = open_table(Dataset(TABULAR, (Place(url="x"),), parsing=parsing), [SourceFile(str(folder / name), "/x", {})]).to_pandas()
    assert back["t"].fillna("").tolist() == [row[0] or "" for row in rows]
    assert [value for value in back["f"] if value == value] == [value for _, value in rows if value is not None and not math.isnan(value)]
    if len(separator) == 1:
        with open(folder / name, newline="") as file:
            assert len(list(csv.reader(file, delimiter=separator))) == len(rows) + 1


def test_a_folder_that_holds_something_gets_all_or_nothing(tables, tmp_path, monkeypatch):
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "kept").write_text("")
    table = tables(["a\n" + "1\n" * 10, "a\n2\n"])

    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(writing, "format_rows", full)
        with pytest.raises(Unavailable, match="No space left on device"):
            table.write_files(DELIMITED, str(folder))
    assert [path.name for path in folder.iterdir()] == ["kept"]
    table.write_files(DELIMITED, str(folder))
    assert sorted(path.name for path in folder.iterdir()) == ["kept", "part-0.csv", "part-1.csv"]


def test_other_kinds_are_refused(tables, tmp_path):
    with pytest.raises(Invalid, match="delimited or parquet, not as 'xml'"):
        tables("a\n1\n").write_files("xml", str(tmp_path))


def test_columns_that_are_found_late_are_written(tables, tmp_path):
    (name,) = write(tables("a\n" + "1\n" * 300 + "2,3\n"), tmp_path / "out")
    assert (tmp_path / "out" / name).read_text().splitlines()[0] == "a,Column2"


# ---- Parquet ----


def test_parquet_files(tables, tmp_path):
    text = "i,f,b,t,d\n1,2.5,true,x,2020-01-02\n,,,,\n"
    table = tables([text, text])
    names = write(table, tmp_path / "out", PARQUET)
    assert names == ["part-0.parquet", "part-1.parquet"]
    again = tables.over([tmp_path / "out" / name for name in names], kind=PARQUET)
    pd.testing.assert_frame_equal(again.to_pandas(), table.to_pandas())


def test_filtered_rows_in_parquet(tables, tmp_path):
    condition = {"call": "gt", "arguments": [{"column": "a"}, {"value": 5}]}
    names = write(tables(["a\n1\n", "a\n7\n9\n"], ("filter", {"expression": condition})), tmp_path / "out", PARQUET)
    assert names == ["part-0.parquet"]
    assert pd.read_parquet(tmp_path / "out" / names[0])["a"].tolist() == [7, 9]


# ---- partitions ----


def test_rows_by_keys(tables, tmp_path):
    text = "city,n,day,v\nRome,1,2020-01-01,a\nOslo,2,2020-01-02T03:04:05,b\nRome,1,2020-01-01,c\n,1,2020-01-01,d\nSt. A/B,1,,e\n"
    names = tables(text).write_partitioned(str(tmp_path / "out"), ["city", "n", "day"])
    assert sorted(names) == [
        "Oslo/2/2020-01-02-03-04-05/part-0.parquet",
        "Rome/1/2020-01-01/part-0.parquet",
        "St%2E A%2FB/1/__null__/part-0.parquet",
        "__null__/1/2020-01-01/part-0.parquet",
    ]
    rows = {name.split("/")[0]: pd.read_parquet(tmp_path / "out" / name)["v"].tolist() for name in names}
    assert rows == {"Oslo": ["b"], "Rome": ["a", "c"], "St%2E A%2FB": ["e"], "__null__": ["d"]}


def test_partitions_read_back_with_their_types(tables, tmp_path):
    table = tables("n,v\n2,a\n1,b\n2,c\n")
    names = table.write_partitioned(str(tmp_path / "out"), ["n"])
    partitions = [{"n": name.split("/")[0]} for name in names]
    again = tables.over([tmp_path / "out" / name for name in names], kind=PARQUET, partitions=partitions)
    assert again.to_pandas().to_dict("list") == {"n": [1, 2, 2], "v": ["b", "a", "c"]}


def test_many_partitions_with_few_open_files(tables, tmp_path, monkeypatch):
    monkeypatch.setattr(writing, "_MOST_OPEN", 2)
    monkeypatch.setattr(writing, "_HELD_BYTES", 1)
    monkeypatch.setattr("penstock.tabular.blocks.FIRST_SIZE", 100)
    monkeypatch.setattr("penstock.tabular.blocks.SIZE", 100)
    rows = [(number % 7, number) for number in range(200)]
    table = tables("k,v\n" + "".join(f"{key},{value}\n" for key, value in rows))
    names = table.write_partitioned(str(tmp_path / "out"), ["k"])
    found = [(key, value) for name in names for key, value in pd.read_parquet(tmp_path / "out" / name).values.tolist()]
    assert Counter(found) == Counter(rows)
    assert all(str(int(name.split("/")[0])) == name.split("/")[0] for name in names)


def test_keys_are_checked(tables, tmp_path):
    table = tables("a,b\n1,2\n")
    for keys in ([], ["a", "a"]):
        with pytest.raises(Invalid, match="each named once"):
            table.write_partitioned(str(tmp_path / "out"), keys)
    with pytest.raises(NotFound, match="no column 'c'"):
        table.write_partitioned(str(tmp_path / "out"), ["c"])
    assert not (tmp_path / "out").exists()


def test_values_of_partitions(tables):
    table = tables("a,d,b\n1,2020-01-01,x\n2,2020-01-02,y\n1,2020-01-01,z\n,,w\n")
    assert table.partition_values(["a", "d"]) == [
        {"a": 1, "d": datetime(2020, 1, 1)},
        {"a": 2, "d": datetime(2020, 1, 2)},
        {"a": None, "d": None},
    ]


@given(some.text(min_size=1) | some.integers() | some.floats() | some.booleans())
def test_any_value_is_the_name_of_a_folder(value):
    name = writing.path_segment(value)
    assert name
    assert not set(name) & set("./\\*?")


@given(some.lists(some.text(), unique=True, min_size=2, max_size=2))
def test_different_texts_have_different_folders(pair):
    assert len({writing.path_segment(value) for value in pair}) == 2


# ---- figures ----


def test_a_profile(tables):
    table = tables("n,t,b,d,e\n" + "1,x,true,2020-01-01,\n4,yy,false,2020-01-03,\n2,x,,,\n,,true,2020-01-02,\n")
    profile = json.loads(json.dumps(table.profile()))
    assert profile["row_count"] == 4
    n, t, d, e = (profile["columns"][name] for name in "ntde")
    assert (n["type"], n["count"], n["missing_count"], n["min"], n["max"]) == ("float" if n["type"] == "float" else "long", 4, 1, 1, 4)
    assert n["mean"] == pytest.approx(7 / 3)
    assert n["standard_deviation"] == pytest.approx(statistics.stdev([1, 4, 2]))
    assert n["quantiles"]["0.5"] == 2
    assert (t["distinct_count"], t["top_values"][0], t["shortest"], t["longest"]) == (2, {"value": "x", "count": 2}, 1, 2)
    assert (d["min"], d["max"]) == ("2020-01-01T00:00:00", "2020-01-03T00:00:00")
    assert (e["missing_count"], e["min"], e["distinct_count"]) == (4, None, 0)


@given(some.lists(some.floats(-1e6, 1e6), min_size=4, max_size=300), some.sampled_from([40, 2**17]))
@settings(max_examples=60, deadline=None)
def test_moments_of_many_batches_are_those_of_one(tmp_path_factory, values, size):
    from penstock.tabular import blocks

    path = tmp_path_factory.mktemp("profile") / "x.csv"
    path.write_text("x\n" + "".join(f"{value!r}\n" for value in values))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "FIRST_SIZE", size)
        patch.setattr(blocks, "SIZE", size)
        parsing = Parsing(DELIMITED, column_types={"x": {"type": "float"}})
        found = open_table(Dataset(TABULAR, (Place(url="x"),), parsing=parsing), [SourceFile(str(path), "/x", {})]).profile()["columns"][
            "x"
        ]
    assert found["count"] == len(values)
    assert (found["min"], found["max"]) == (min(values), max(values))
    assert found["mean"] == pytest.approx(statistics.fmean(values), rel=1e-9, abs=1e-6)
    assert found["variance"] == pytest.approx(statistics.variance(values), rel=1e-6, abs=1e-6)


def test_values_that_are_too_many_to_count(tables, monkeypatch):
    monkeypatch.setattr("penstock.tabular.profiles._TRACKED", 50)
    monkeypatch.setattr("penstock.tabular.profiles._SAMPLE", 100)
    figures = tables("x\n" + "".join(f"{number}\n" for number in range(1000))).profile()["columns"]["x"]
    assert figures["distinct_count"] is None
    assert len(figures["top_values"]) == 20
    assert 300 < figures["quantiles"]["0.5"] < 700


# ---- written file datasets ----


class Client:
    """Knows where files are, as the service does."""

    def __init__(self, files):
        self.files = files

    def transfer(self, workspace_id, kind, **about):
        assert (workspace_id, kind, about["dataset"]["type"]) == ("w", "stage", TABULAR)
        return {"files": self.files}


def test_files_of_a_written_dataset(tables, tmp_path):
    paths = [tables.write("a\n1\n"), tables.write("a\n2\n")]
    inner = Dataset(TABULAR, (Place(url="x"),), parsing=Parsing(DELIMITED))
    client = Client([{"local": str(path), "path": f"/{path.name}", "partition": {}} for path in paths])
    written = Dataset(FILE, written=Written(inner, DELIMITED, ";"), operations=(Operation("take", {"count": 1}),))
    folder = tmp_path / "out"
    assert write_files_of(client, "w", format_dataset(written), str(folder)) == ["part-0.csv"]
    assert [path.name for path in folder.iterdir()] == ["part-0.csv"]
    with pytest.raises(Invalid, match="lie somewhere already"):
        write_files_of(client, "w", format_dataset(Dataset(FILE, (Place(url="x"),))), str(folder))


def test_a_dataset_of_files_has_no_rows():
    with pytest.raises(Invalid, match="Only a tabular dataset has rows"):
        open_table(Dataset(FILE, (Place(url="x"),)), [])
