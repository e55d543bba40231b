"""Delimited files as v1 reads them."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import warnings

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from penstock.model.errors import Invalid, NotFound
from penstock.tabular import blocks, delimited_blocks
from penstock.tabular.records import cut_at_record_end, split_records

TEXT = str(pd.Series(["x"]).dtype)  # the type that this pandas gives texts


def dtype_of(tables, *values, **about):
    frame = tables("x,y\n" + "".join(f"{value},1\n" for value in values), **about).to_pandas()
    return str(frame["x"].dtype), frame["x"].tolist()


def plain(values):
    return [None if value is None or value is pd.NaT or value != value else value for value in values]


# ---- types ----


@pytest.mark.parametrize(
    ("values", "dtype", "expected"),
    [
        (["1", "2"], "int64", [1, 2]),
        (["001", "-7", "+3"], "int64", [1, -7, 3]),
        (["0", "1"], "int64", [0, 1]),
        (["1", ""], "float64", [1.0, None]),
        ([" 1", "2 "], "int64", [1, 2]),
        (["1.5", "2"], "float64", [1.5, 2.0]),
        (["1e3", ".5", "5."], "float64", [1000.0, 0.5, 5.0]),
        (["inf", "-inf", "nan"], "float64", [float("inf"), float("-inf"), None]),
        (["9223372036854775808", "1"], "float64", [9223372036854775808.0, 1.0]),
        (["9223372036854775807", "-9223372036854775808"], "int64", [2**63 - 1, -(2**63)]),
        (["true", "FALSE", "t", "F"], "bool", [True, False, True, False]),
        (["true", "", "f"], "object", [True, None, False]),
        (["yes", "no"], TEXT, ["yes", "no"]),
        (["10%", "20%"], TEXT, ["10%", "20%"]),
        (['"1,000"', '"2,000"'], TEXT, ["1,000", "2,000"]),
        (["10:20", "11:30:00"], TEXT, ["10:20", "11:30:00"]),
        (["NA", "null", ""], TEXT, ["NA", "null", None]),
        (["1", "NA"], TEXT, ["1", "NA"]),
        (["1", "true"], TEXT, ["1", "true"]),
        (["", ""], "object", [None, None]),
        (["2020-02-30", "2020-02-01"], TEXT, ["2020-02-30", "2020-02-01"]),
        (["2020-01-07 08:00"], TEXT, ["2020-01-07 08:00"]),
        (["0x10"], TEXT, ["0x10"]),
        (["1_000"], TEXT, ["1_000"]),
    ],
)
def test_types_of_texts(tables, values, dtype, expected):
    found, items = dtype_of(tables, *values)
    assert (found, plain(items)) == (dtype, expected)


def test_empty_texts_and_rows(tables):
    nothing = tables("x,y\n").to_pandas()
    assert (len(nothing), list(nothing.columns)) == (0, ["x", "y"])
    later = tables("x,y\n" + ",1\n" * 300 + "a,2\n").to_pandas()
    assert (str(later["x"].dtype), plain(later["x"].tolist()[299:])) == (TEXT, [None, "a"])


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["2020-01-07"], ["2020-01-07"]),
        (["2020-01-07T08:09:10", "2020-01-07"], ["2020-01-07T08:09:10", "2020-01-07"]),
        (["2020-01-07 08:09:10.5"], ["2020-01-07T08:09:10.5"]),
        (["2020-01-07T08:09:10.1234567"], ["2020-01-07T08:09:10.123456"]),
        (["2020-01-07T08:09:10Z"], ["2020-01-07T08:09:10"]),
        (["2020-01-07T08:09:10+02:00", "2020-01-07 08:09:10-0130"], ["2020-01-07T06:09:10", "2020-01-07T09:39:10"]),
        (["2020-01-07T08:09:10Z", "2020-01-07", ""], ["2020-01-07T08:09:10", "2020-01-07", None]),
        (["1/31/2020", "02/01/2020 10:11:12"], ["2020-01-31", "2020-02-01T10:11:12"]),
        (["31/1/2020", "1/2/2020"], ["2020-01-31", "2020-02-01"]),
    ],
)
def test_times_become_utc_without_a_zone(tables, values, expected):
    dtype, items = dtype_of(tables, *values)
    assert dtype == "datetime64[ns]"
    assert items == [pd.Timestamp(item) if item else pd.NaT for item in expected]


def test_doubtful_dates_are_month_first_with_a_warning(tables):
    with pytest.warns(UserWarning, match="'x' may be day-month"):
        frame = tables("x\n1/2/2020\n3/4/2020\n").to_pandas()
    assert frame["x"].tolist() == [pd.Timestamp(2020, 1, 2), pd.Timestamp(2020, 3, 4)]


def test_later_values_that_do_not_fit_are_null(tables):
    head = "i,f,b,d,t\n" + "1,1.5,true,2020-01-01,x\n" * 200
    frame = tables(head + "x,y,z,w,1\n2,2,f,2020-01-02,\n").to_pandas()
    assert plain(frame.iloc[200].tolist()) == [None, None, None, None, "1"]
    assert plain(frame.iloc[201].tolist()) == [2.0, 2.0, False, pd.Timestamp("2020-01-02"), None]
    assert [str(dtype) for dtype in frame.dtypes] == ["float64", "float64", "object", "datetime64[ns]", TEXT]


def test_on_error_fail_names_file_line_and_column(tables):
    table = tables("a,b\n" + "1,x\n" * 300 + "oops,y\n", infer_column_types=True)
    assert len(table.to_pandas()) == 301
    with pytest.raises(Invalid, match=r"'/file1.csv', line 302: 'oops' in the column 'a' can't be read as long"):
        table.to_pandas(on_error="fail")


def test_without_inference_all_is_text(tables):
    frame = tables("a,b\n001,true\n2,\n", infer_column_types=False).to_pandas()
    assert {name: plain(values) for name, values in frame.to_dict("list").items()} == {"a": ["001", "2"], "b": ["true", None]}


@pytest.mark.parametrize(
    ("about", "texts", "expected"),
    [
        ({"type": "string"}, ["001", ""], ["001", None]),
        ({"type": "long"}, ["001", "2.0", "2.5", "x"], [1.0, 2.0, None, None]),
        ({"type": "float"}, ["1", "x", "1e2"], [1.0, None, 100.0]),
        ({"type": "float", "decimal_mark": ","}, ['"1,5"', "2", "3.5"], [1.5, 2.0, None]),
        ({"type": "bool"}, ["true", "0", "1", "yes"], [True, False, True, None]),
        ({"type": "datetime"}, ["2020-01-01", "x"], [pd.Timestamp("2020-01-01"), None]),
        ({"type": "datetime"}, ["2020/01/31", "2020/02/01"], [pd.Timestamp("2020-01-31"), pd.Timestamp("2020-02-01")]),
        ({"type": "datetime"}, ["31.12.2020", "01.02.2020"], [pd.Timestamp("2020-12-31"), pd.Timestamp("2020-02-01")]),
        ({"type": "datetime", "formats": ["%d/%m/%Y"]}, ["2/1/2020", "x"], [pd.Timestamp("2020-01-02"), None]),
        (
            {"type": "datetime", "formats": ["%Y%m%d", "%d.%m.%Y %H:%M"]},
            ["20200102", "03.01.2020 04:05"],
            [pd.Timestamp("2020-01-02"), pd.Timestamp("2020-01-03 04:05")],
        ),
        ({"type": "stream"}, ["a.png", ""], ["a.png", None]),
    ],
)
def test_types_that_users_give(tables, about, texts, expected):
    text = "x,y\n" + "".join(f"{item},1\n" for item in texts)
    table = tables(text, column_types={"x": about, "absent": {"type": "long"}})
    assert plain(table.to_pandas()["x"].tolist()) == expected


def test_a_given_type_that_does_not_fit_can_fail(tables):
    table = tables("x,y\n1,1\nz,2\n", column_types={"x": {"type": "long"}})
    with pytest.raises(Invalid, match="line 3: 'z' in the column 'x'"):
        table.to_pandas(on_error="fail")


def test_times_beyond_pandas(tables):
    table = tables("x,y\n2020-01-01,1\n9999-12-31,2\n0001-01-01,3\n")
    assert plain(table.to_pandas()["x"].tolist()) == [pd.Timestamp("2020-01-01"), None, None]
    with pytest.raises(Invalid, match="'x' holds 9999-12-31"):
        table.to_pandas(out_of_range_datetime="fail")


@pytest.mark.parametrize("choice", ["on_error", "out_of_range_datetime"])
def test_other_choices_are_refused(tables, choice):
    with pytest.raises(Invalid, match=f"{choice} is one of null, fail"):
        tables("a\n1\n").to_pandas(**{choice: "zero"})


# ---- cells, rows and headers ----


def test_empty_cells(tables):
    text = 'a,b\n1,\n,""\n'
    assert [plain(row) for row in tables(text).to_pandas().values.tolist()] == [[1, None], [None, None]]
    assert [plain(row) for row in tables(text, empty_as_string=True).to_pandas().values.tolist()] == [[1, ""], [None, ""]]


def test_rows_of_other_lengths(tables):
    frame = tables("a,b\n1,2\n3\n4,5,6\n7,8,9,x\n").to_pandas()
    assert list(frame.columns) == ["a", "b", "Column3", "Column4"]
    assert [plain(row) for row in frame.values.tolist()] == [[1, 2, None, None], [3, None, None, None], [4, 5, 6, None], [7, 8, 9, "x"]]


def test_rows_that_are_mostly_longer_than_the_header(tables):
    frame = tables("a,b\n" + "1,2,\n" * 1000 + "3,4\n").to_pandas()
    assert list(frame.columns) == ["a", "b", "Column3"]
    assert (len(frame), frame["b"].tolist()[-1]) == (1001, 4)


def test_a_longer_row_far_behind_the_first_ones(tables, rows_of):
    table = tables("a,b\n" + "1,2\n" * 500 + "3,4,5\n1,2\n")
    assert plain(table.to_pandas().iloc[500].tolist()) == [3, 4, 5]
    assert len(rows_of(table)) == 502
    assert table.column_names() == ["a", "b", "Column3"]


def test_duplicate_and_empty_headers(tables):
    assert tables("a,a,,b,a\n1,2,3,4,5\n").column_names() == ["a", "a_1", "Column3", "b", "a_2"]
    assert sorted(set(tables("a,a,a_1\n1,2,3\n").column_names())) == ["a", "a_1", "a_2"]


def test_header_modes(tables):
    same, first, none, union = (
        "ALL_FILES_HAVE_SAME_HEADERS",
        "ONLY_FIRST_FILE_HAS_HEADERS",
        "NO_HEADERS",
        "COMBINE_ALL_FILES_HEADERS",
    )
    files = ["a,b\n1,2\n", "a,b\n3,4\n"]
    assert tables(files, header=same).to_pandas().to_dict("list") == {"a": [1, 3], "b": [2, 4]}
    assert tables(files, header=first).to_pandas()["a"].tolist() == ["1", "a", "3"]
    assert tables(files, header=none).to_pandas().to_dict("list") == {"Column1": ["a", "1", "a", "3"], "Column2": ["b", "2", "b", "4"]}
    frame = tables(["a,b\n1,2\n", "b,c\n3,x\n"], header=union).to_pandas()
    assert [plain(row) for row in frame.values.tolist()] == [[1, 2, None], [None, 3, "x"]]


def test_files_whose_headers_differ_are_joined_by_name(tables, rows_of):
    few = tables(["a,b\n1,2\n", "b,a\n4,3\n", "a,c\n5,x\n", "a,b\n"]).to_pandas()
    assert [plain(row) for row in few.values.tolist()] == [[1, 2, None], [3, 4, None], [5, None, "x"]]
    many = tables(["a,b\n" + "1,2\n" * 200, "b,a\n4,3\n", "a,c\n5,x\n"])
    assert many.column_names() == ["a", "b"]  # what the first rows show
    assert [plain(row) for row in many.to_pandas().values.tolist()[200:]] == [[3, 4, None], [5, None, "x"]]
    assert len(rows_of(many)) == 202


@pytest.mark.parametrize("text", ["", "\n\n", "\r\n"])
def test_empty_files(tables, text):
    frame = tables(text).to_pandas()
    assert frame.shape == (0, 0)
    assert tables([text, "a\n1\n", text]).to_pandas()["a"].tolist() == [1]


def test_only_a_header(tables):
    frame = tables("a,b\n").to_pandas()
    assert (frame.shape, list(frame.columns)) == ((0, 2), ["a", "b"])


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("trailing", [True, False])
def test_line_ends(tables, end, trailing):
    text = end.join(["a,b", "1,x", "", "2,y"]) + (end if trailing else "")
    assert tables(text).to_pandas().to_dict("list") == {"a": [1, 2], "b": ["x", "y"]}


def test_quotes(tables):
    text = 'a,b\n"1","x,y"\n2,"say ""hi"""\n3,5" pipe\n4,"q"z\n'
    assert tables(text).to_pandas()["b"].tolist() == ["x,y", 'say "hi"', '5" pipe', "qz"]


def test_line_ends_within_quotes(tables):
    text = 'a,b\n1,"x\ny"\n2,z\n'
    assert plain(tables(text).to_pandas()["b"].tolist()) == ["x", None, "z"]
    assert tables(text, support_multi_line=True).to_pandas()["b"].tolist() == ["x\ny", "z"]


@pytest.mark.parametrize("text", ['a,b\n1,"x\n', 'a,b\n1,"x', 'a,b\n1,"x\n2,y\n', 'a,b\n0,w\n1,"x\n\n\n'])
def test_a_quote_that_is_never_closed(tables, text):
    frame = tables(text).to_pandas()
    assert "x" in frame["b"].tolist()
    with pytest.raises(Invalid, match=r"'/file2.csv', line \d: a quote is opened and not closed"):
        tables(text).to_pandas(on_error="fail")
    with pytest.raises(Invalid, match=r"'/file3.csv', line \d: a quote is opened and never closed"):
        tables(text, support_multi_line=True).to_pandas()


@pytest.mark.parametrize("separator", [";", "\t", "|", " ", "||", "§", "."])
def test_separators(tables, separator):
    text = separator.join(["a", "b"]) + "\n" + separator.join(["1", '"x' + separator + 'y"']) + "\n"
    assert tables(text, separator=separator).to_pandas().values.tolist() == [[1, f"x{separator}y"]]


@pytest.mark.parametrize(
    ("name", "encode"),
    [
        ("utf8", lambda text: text.encode()),
        ("utf8", lambda text: codecs.BOM_UTF8 + text.encode()),
        ("utf8bom", lambda text: codecs.BOM_UTF8 + text.encode()),
        ("iso88591", lambda text: text.encode("latin-1")),
        ("latin1", lambda text: text.encode("latin-1")),
        ("windows1252", lambda text: text.encode("cp1252")),
        ("utf16", lambda text: text.encode("utf-16")),
        ("utf16", lambda text: codecs.BOM_UTF16_BE + text.encode("utf-16-be")),
        ("utf32", lambda text: text.encode("utf-32")),
    ],
)
def test_encodings(tables, name, encode):
    text = "ä,b\n" + "é,1\nß,2\n" * 100_000
    frame = tables(encode(text), encoding=name).to_pandas()
    assert list(frame.columns) == ["ä", "b"]
    assert (len(frame), set(frame["ä"]), frame["b"].sum()) == (200_000, {"é", "ß"}, 300_000)


@pytest.mark.parametrize("good", ["x,1\n" * 10, "ü,1\n" * 100_000])
def test_bytes_that_are_no_text_are_named(tables, good):
    files = ["a,b\n" + good, ("a,b\n" + good).encode() + "grün,2\n".encode("latin-1")]
    place = len(files[1]) - len("ün,2\n".encode("latin-1"))
    with pytest.raises(Invalid, match=rf"'/file2.csv' is not text in the encoding utf8: byte {place} can't be read"):
        tables(files).to_pandas()
    with pytest.raises(Invalid, match="not text in the encoding ascii: byte 5 "):
        tables("a,b\nxü,1\n", encoding="ascii").to_pandas()


def test_other_encodings_are_recognized(tables):
    with pytest.raises(Invalid, match=r"begins like utf16.*encoding='utf16'"):
        tables("a\n1\n".encode("utf-16")).to_pandas()
    with pytest.raises(Invalid, match="no encoding 'klingon'"):
        tables("a\n1\n", encoding="klingon").to_pandas()


def test_packed_files(tables):
    assert tables(gzip.compress(b"a,b\n1,x\n")).to_pandas().values.tolist() == [[1, "x"]]


def test_a_missing_file(tables, tmp_path):
    with pytest.raises(NotFound, match=r"'/gone.csv' is not there"):
        tables.over([tmp_path / "gone.csv"]).to_pandas()


# ---- columns that come from paths ----


def test_path_and_partitions_come_first(tables):
    files = [tables.write("a,b\n1,x\n"), tables.write("a,b\n2,y\n")]
    partitions = [{"day": {"time": "2020-01-02T00:00:00"}, "city": "Rome"}, {"day": {"time": "2020-01-03T00:00:00"}, "city": "Oslo"}]
    table = tables.over(files, partitions=partitions, partition_format="/{day:yyyy/MM/dd}/{city}/x.csv", include_path=True)
    frame = table.to_pandas()
    assert list(frame.columns) == ["Path", "city", "day", "a", "b"]
    assert frame.values.tolist() == [
        ["/file1.csv", "Rome", pd.Timestamp("2020-01-02"), 1, "x"],
        ["/file2.csv", "Oslo", pd.Timestamp("2020-01-03"), 2, "y"],
    ]
    assert [str(dtype) for dtype in frame.dtypes] == [TEXT, TEXT, "datetime64[ns]", "int64", TEXT]


def test_partition_columns_can_have_types(tables):
    table = tables.over([tables.write("a\n1\n")], partitions=[{"n": "07"}], column_types={"n": {"type": "long"}})
    assert table.to_pandas()["n"].tolist() == [7]


# ---- the quick way gives what the exact one does ----


def tokens():
    return some.text(some.sampled_from('ab1 ,;"\n\r.-'), max_size=8)


@given(some.text(some.sampled_from('a1,"\n\r '), max_size=60), some.booleans())
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_is_split_as_the_exact_splitter_does(tmp_path_factory, text, multi_line):
    from penstock.model.datasets import DELIMITED, TABULAR, Dataset, Parsing, Place
    from penstock.tabular import SourceFile, open_table

    path = tmp_path_factory.mktemp("any") / "x.csv"
    path.write_bytes(text.encode())
    parsing = Parsing(DELIMITED, header="NO_HEADERS", infer_column_types=False, support_multi_line=multi_line)
    table = open_table(Dataset(TABULAR, (Place(url="x"),), parsing=parsing), [SourceFile(str(path), "/x.csv", {})])
    records = list(split_records(text, ",", multi_line))
    if multi_line and any(record.is_open for record in records):
        with pytest.raises(Invalid, match="never closed"):
            table.to_pandas()
        return
    rows = [[value or None for value in plain(row)] for row in table.to_pandas().values.tolist()]
    width = max((len(record.values) for record in records), default=0)
    assert rows == [[*(value or None for value in record.values), *[None] * (width - len(record.values))] for record in records]


@given(
    rows=some.lists(some.lists(tokens(), min_size=3, max_size=3), min_size=1, max_size=20),
    separator=some.sampled_from(",;\t|"),
    end=some.sampled_from(["\n", "\r\n"]),
    quoting=some.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    size=some.sampled_from([16, 64, 2**17]),
)
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_the_csv_module_writes_reads_back(tmp_path_factory, rows, separator, end, quoting, size):
    from penstock.model.datasets import DELIMITED, TABULAR, Dataset, Parsing, Place
    from penstock.tabular import SourceFile, open_table

    if any("\r" in value for row in rows for value in row):
        quoting = csv.QUOTE_ALL  # the module leaves a lone return without quotes
    text = io.StringIO()
    csv.writer(text, delimiter=separator, lineterminator=end, quoting=quoting).writerows([["a", "b", "c"], *rows])
    path = tmp_path_factory.mktemp("csv") / "x.csv"
    path.write_bytes(text.getvalue().encode())
    parsing = Parsing(DELIMITED, separator=separator, infer_column_types=False, support_multi_line=True, empty_as_string=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "FIRST_SIZE", size)
        patch.setattr(blocks, "SIZE", size)
        frame = open_table(Dataset(TABULAR, (Place(url="x"),), parsing=parsing), [SourceFile(str(path), "/x.csv", {})]).to_pandas()
    assert frame.values.tolist() == rows


@given(
    rows=some.lists(
        some.tuples(
            some.sampled_from(["1", "22", "x", "", "3.5", "-4"]),
            some.sampled_from(["2020-01-01", "2021-02-03 04:05:06", "soon", ""]),
            some.sampled_from(["t", "word", '"a,b"', '5"', ""]),
        ),
        min_size=1,
        max_size=60,
    ),
    size=some.sampled_from([8, 30, 100]),
    often=some.sampled_from([0, 3, 1000]),
)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_many_blocks_read_as_one_does(tmp_path_factory, rows, size, often):
    from penstock.model.datasets import DELIMITED, TABULAR, Dataset, Parsing, Place
    from penstock.tabular import SourceFile, open_table

    path = tmp_path_factory.mktemp("blocks") / "x.csv"
    path.write_text("a,b,c\n" + "".join(",".join(row) + "\n" for row in rows))
    kinds = {"a": {"type": "long"}, "b": {"type": "datetime"}}

    def read():
        dataset = Dataset(TABULAR, (Place(url="x"),), parsing=Parsing(DELIMITED, column_types=kinds))
        return open_table(dataset, [SourceFile(str(path), "/x.csv", {})]).to_pandas()

    whole = read()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "FIRST_SIZE", size)
        patch.setattr(blocks, "SIZE", size)
        patch.setattr(delimited_blocks, "_OFTEN", often)
        pd.testing.assert_frame_equal(read(), whole)


@given(some.binary(max_size=0) | some.text(some.sampled_from('a,"\n\r'), max_size=40).map(str.encode))
@settings(max_examples=500, deadline=None)
def test_blocks_end_where_records_do(data):
    text, end = data.decode(), cut_at_record_end(data, b",")
    assert end == 0 or text[end - 1] == "\n"
    whole = list(split_records(text, ",", True))
    if not any(record.is_open for record in whole):
        parts = [*split_records(text[:end], ",", True), *split_records(text[end:], ",", True)]
        assert [record.values for record in parts] == [record.values for record in whole]


def test_no_warning_when_all_is_clear(tables):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tables("a,b,c\n1,2020-01-01,31/1/2020\n").to_pandas()


def test_records_have_a_longest_length(tables, monkeypatch):
    monkeypatch.setattr(blocks, "FIRST_SIZE", 64)
    monkeypatch.setattr(blocks, "LONGEST_RECORD", 1000)
    text = 'a,b\n1,x\n2,"y\n' + "3,z\n" * 2000
    with pytest.raises(Invalid, match=r"'/file1.csv' has a record longer than .* A quote may be opened"):
        tables(text, support_multi_line=True).to_pandas()
    assert len(tables(text).to_pandas()) == 2002


def test_a_header_with_line_ends(tables):
    text = '"a\nb","c ""d"""\r\n1,2\r\n'
    assert tables(text, support_multi_line=True).to_pandas().to_dict("list") == {"a\nb": [1], 'c "d"': [2]}
