"""YAML texts of any kind, hostile ones among them: plain values or a ValueError, soon and small."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from azureml.pipeline.core import _yaml_documents
from azureml.pipeline.core._yaml_documents import format_document, parse_document, read_document

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
KEYS = st.one_of(TEXTS, st.sampled_from(["yes", "null", "~", "1", "1e3", "0x1", "<<", "=", "? a", "- b", "2001-01-01"]))
VALUES = st.recursive(
    st.one_of(KEYS, st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False)),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(KEYS, inner, max_size=4)),
    max_leaves=12,
)


@settings(max_examples=60)
@given(VALUES)
def test_what_is_written_reads_the_same(value: Any) -> None:
    again = parse_document(format_document(value), "f")
    assert again == value
    assert repr(again) == repr(value)  # True is not 1, and 1.0 is not 1


@settings(max_examples=60)
@given(VALUES)
def test_what_is_written_reads_the_same_for_everybody_else(value: Any) -> None:
    assert yaml.safe_load(format_document(value)) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yes", "yes"),
        ("off", "off"),
        ("1:30", "1:30"),
        ("1_000", "1_000"),
        ("012", 12),
        ("0o14", 12),
        ("0x1F", 31),
        ("1e-3", 0.001),
        ("-.5", -0.5),
        (".inf", float("inf")),
        ("~", None),
        ("2020-01-31", datetime.date(2020, 1, 31)),
        ("TRUE", True),
    ],
)
def test_words_are_those_of_yaml_1_2(text: str, value: Any) -> None:
    assert parse_document(f"a: {text}", "f") == {"a": value}


BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]\n" for level in range(1, 12)
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (BOMB, "more than 500000 values, aliases included"),
        ("[" * 5000, "nested more than 60 levels deep"),
        ("a: &x [*x]", "line 1: a value that holds itself"),
        ("a: 1\nb: 2\na: 3", "line 3: the key 'a' stands there twice"),
        ("a: !!python/object/apply:os.system ['true']", "line 1: could not determine a constructor"),
        ("a: !own 3", "could not determine a constructor"),
        ("? [a]\n: 1", "a key that is no plain text"),
        ("a: [1,\nb: }", "line 2"),
        ("a: *x", "undefined alias"),
        ("a: 1\n--- \nb: 2", "line 2"),
        ("a: \x07", "characters are not allowed"),
        ("a: 2020-13-45", "month"),
        ("a: " + "9" * 10000, "line 1: a number of 10000 digits"),
    ],
)
@pytest.mark.parametrize("has_library", [True, False])
def test_hostile_texts(text: str, message: str, has_library: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """As quick with PyYAML's own parser as with libyaml."""
    monkeypatch.setattr(yaml, "__with_libyaml__", has_library and yaml.__with_libyaml__)
    monkeypatch.setattr(_yaml_documents, "_CLASSES", {})
    with pytest.raises(ValueError, match=rf"(?s)'f' can't be read.*{message}"):
        parse_document(text, "f")


def test_anchors_and_merged_keys_are_welcome() -> None:
    assert parse_document("a: &x {b: 1, c: 2}\nd: {<<: *x, c: 3}\ne: *x", "f") == {
        "a": {"b": 1, "c": 2},
        "d": {"b": 1, "c": 3},
        "e": {"b": 1, "c": 2},
    }


def test_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "p.yml"
    path.write_bytes(b"a: \xff\xfe")
    with pytest.raises(ValueError, match="no text in UTF-8"):
        read_document(str(path))
    monkeypatch.setattr(_yaml_documents, "LARGEST_FILE", 10)
    path.write_text("a: 123456789", "utf-8")
    with pytest.raises(ValueError, match="has 12 bytes"):
        read_document(str(path))
