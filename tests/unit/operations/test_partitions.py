"""Partition formats: what they read from paths, and why some can't be one."""

from __future__ import annotations

import contextlib
import re
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as some

from penstock.model.errors import Invalid
from penstock.model.partitions import RESERVED, distinct_values, parse_partition_format, plain_value


@pytest.mark.parametrize(
    ("form", "path", "values"),
    [
        ("/{city}/data.csv", "/weather/Oslo/data.csv", {"city": "Oslo"}),
        ("{city}/data.csv", "/weather/Oslo/data.csv", {"city": "Oslo"}),
        ("/{city}/{day:yyyy/MM/dd}/x.csv", "/a/Oslo/2020/03/04/x.csv", {"city": "Oslo", "day": {"time": "2020-03-04T00:00:00"}}),
        ("/{day:yyyy-MM-dd HH:mm:ss}.csv", "/2020-03-04 05:06:07.csv", {"day": {"time": "2020-03-04T05:06:07"}}),
        ("/{day:yyyy}/*.csv", "/x/2021/any/thing.csv", {"day": {"time": "2021-01-01T00:00:00"}}),
        ("/year={t:yyyy}/month={t:MM}/*", "/p/year=2021/month=07/part-0", {"t": {"time": "2021-07-01T00:00:00"}}),
        ("/{a}_{b}.parquet", "/x/one_two_three.parquet", {"a": "one_two", "b": "three"}),
        ("/{{{a}}}/f", "/{x}/f", {"a": "x"}),
        ("weather/{a}/f", "/deep/weather/x/f", {"a": "x"}),
    ],
)
def test_what_is_read(form: str, path: str, values: dict[str, object]) -> None:
    assert parse_partition_format(form).match(path) == values


@pytest.mark.parametrize(
    ("form", "path"),
    [
        ("/{city}/data.csv", "/Oslo/other.csv"),
        ("/{city}/data.csv", "/Oslo/data.csv.bak"),  # to the end of the path
        ("/{city}/data.csv", "/data.csv"),
        ("{name}/data.csv", "/v1.2/data.csv"),  # a value has no dot, and is no part of a name
        ("/{name}.csv", "/a.b.csv"),
        ("/{day:yyyy/MM/dd}/*", "/2020/13/01/x"),  # no such month
        ("/{day:yyyy}/*", "/٢٠٢٠/x"),  # digits are those of ASCII
        ("/{a}/*\n", "/a/x"),
        ("/{a}{b}{c}{d}{e}{f}{g}{h}.x", "/" + "a" * 200),  # a backtracking search would not come to an end
        ("*a*a*a*a/{x}.z", "/" + "a" * 200),
    ],
)
def test_what_does_not_fit(form: str, path: str) -> None:
    assert parse_partition_format(form).match(path) is None


@pytest.mark.parametrize(
    ("form", "reason"),
    [
        ("", "no part in braces"),
        ("/data/*.csv", "no part in braces"),
        ("/{}/x", "no column name"),
        ("/{ }/x", "no column name"),
        ("/{:yyyy}/x", "no column name"),
        ("/{a/x", "not balanced"),
        ("/a}/x", "not balanced"),
        ("/{a{b}}/x", "not balanced"),
        ("/{a:yyyy}/{b:yyyy}", "two date columns, 'a' and 'b'"),
        ("/{a:MM/dd}", "no year, yyyy"),
        ("/{a:yyyy/M}", "'M' is no part"),
        ("/{a:yyyyyy}", "'yy' is no part"),
        ("/{a:yyyy/yyyy}", "part yyyy twice"),
        ("/{a:}", "has no parts"),
        ("/{a}/{a}", "'a' stands in it twice"),
        ("/{a}/{a:yyyy}", "'a' stands in it twice"),
        ("/{a:yyyy}/{a}", "'a' stands in it twice"),
        ("/{Path}/x", "'Path' is the name"),
        ("/{a}" + "*x" * 5, "at most"),
        ("/{a}" + "x" * 3000, "at most"),
        ("".join(f"/{{c{number}}}" for number in range(200)), "at most"),
        (7, "must be a text, not int"),
        (None, "must be a text"),
    ],
)
def test_what_can_not_be_a_format(form: object, reason: str) -> None:
    with pytest.raises(Invalid, match=re.escape(reason)):
        parse_partition_format(form)


VALUES = some.text(some.characters(codec="utf-8", exclude_characters="./\\"), min_size=1, max_size=12)
NAMES = some.text(some.characters(codec="utf-8", exclude_characters="{}:"), min_size=1, max_size=8).filter(
    lambda name: bool(name.strip()) and name not in RESERVED
)
LITERALS = some.text(some.characters(codec="utf-8"), max_size=6)


def write(text: str) -> str:
    """Return a literal text as a format spells it."""
    return text.replace("{", "{{").replace("}", "}}").replace("*", "")


@given(columns=some.dictionaries(NAMES, VALUES, min_size=1, max_size=4), before=LITERALS, after=LITERALS)
def test_values_come_back(columns: dict[str, str], before: str, after: str) -> None:
    form = "/" + "/".join(f"{{{name}}}" for name in columns) + "/" + write(after)
    path = "/" + before + "/" + "/".join(columns.values()) + "/" + after.replace("*", "")
    assert parse_partition_format(form).match(path) == columns


@given(moment=some.datetimes(), city=VALUES)
def test_dates_come_back(moment: datetime, city: str) -> None:
    moment = moment.replace(microsecond=0)
    form = parse_partition_format("/{city}/{at:yyyy/MM/dd/HH-mm-ss}/*")
    path = f"/x/{city}/{moment.year:04}/{moment:%m/%d/%H-%M-%S}/part"
    found = form.match(path)
    assert found is not None
    assert plain_value(found["at"]) == moment
    assert (found["city"], form.columns, form.date_column) == (city, ("city", "at"), "at")


@given(text=some.text(alphabet="{}:*/ayMdHms.", max_size=30))
def test_any_text_is_a_format_or_is_refused(text: str) -> None:
    form = None
    with contextlib.suppress(Invalid):
        form = parse_partition_format(text)
    if form is None:
        return
    assert form.columns
    for path in ("/a/b.csv", "/2020/01/02", "/" + "a/" * 50):
        found = form.match(path)
        assert found is None or tuple(found) == form.columns


def test_distinct_values_stand_in_the_order_of_their_first_file() -> None:
    rows = [{"a": "x", "b": {"time": "2020-01-01T00:00:00"}}, {"a": "y", "b": {"time": "2020-01-01T00:00:00"}}, {"a": "x", "b": "z"}]
    assert distinct_values(iter(rows), ("a",)) == [{"a": "x"}, {"a": "y"}]
    assert distinct_values(iter(rows), ("b",)) == [{"b": {"time": "2020-01-01T00:00:00"}}, {"b": "z"}]
    assert len(distinct_values(iter(rows), ("a", "b"))) == 3
