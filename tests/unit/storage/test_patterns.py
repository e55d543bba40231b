from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.compile.manifests import UNFINISHED
from penstock.model.errors import Invalid
from penstock.storage.stores.patterns import Pattern

NAMES = st.text(alphabet="ab*?[]!-.x", min_size=1, max_size=5).filter(lambda name: name not in (".", "..") and "**" not in name)
PLAIN_NAMES = st.text(alphabet="abx.-", min_size=1, max_size=4).filter(lambda name: name not in (".", ".."))
PATHS = st.lists(PLAIN_NAMES, min_size=1, max_size=5).map("/".join)
PATTERNS = st.lists(NAMES | st.just("**"), min_size=1, max_size=5).map("/".join)


def reference(text: str) -> re.Pattern[str]:
    """The rules written as one plain regular expression, with no regard to speed."""
    names = text.split("/")
    if names[-1] == "**":
        names.append("*")
    pieces = ["(?:[^/]+/)*" if name == "**" else reference_name(name) + "/" for name in names]
    return re.compile("".join(pieces)[:-1])


def reference_name(name: str) -> str:
    out, at = "", 0
    while at < len(name):
        letter, at = name[at], at + 1
        close = name.find("]", at + (2 if name[at : at + 1] == "!" else 1))
        if letter == "*":
            out += "[^/]*"
        elif letter == "?":
            out += "[^/]"
        elif letter == "[" and close > 0:
            out, at = out + reference_class(name[at:close]), close + 1
        else:
            out += re.escape(letter)
    return out


def reference_class(text: str) -> str:
    letters = [chr(code) for code in range(33, 127) if chr(code) != "/" and is_in_class(text.removeprefix("!"), chr(code))]
    wanted = [chr(code) for code in range(33, 127) if (chr(code) in letters) != text.startswith("!") and chr(code) != "/"]
    return f"[{''.join(map(re.escape, wanted))}]" if wanted else "(?!)"


def is_in_class(text: str, letter: str) -> bool:
    at = 0
    while at < len(text):
        if text[at + 1 : at + 2] == "-" and at + 2 < len(text):
            if text[at] <= letter <= text[at + 2]:
                return True
            at += 3
        else:
            if text[at] == letter:
                return True
            at += 1
    return False


@given(PATTERNS, PATHS)
def test_a_pattern_names_what_its_rules_say(text: str, path: str) -> None:
    pattern = Pattern(text)
    expected = bool(reference(text).fullmatch(path)) if not pattern.is_plain else path == text or path.startswith(f"{text}/")
    assert pattern.matches(path) == expected


@given(PATTERNS, PATHS)
def test_what_is_named_lies_where_it_is_looked_for(text: str, path: str) -> None:
    pattern = Pattern(text)
    if not pattern.matches(path):
        return
    assert path.startswith(pattern.prefix) or path == pattern.text
    assert not pattern.folder or path == pattern.folder or path.startswith(f"{pattern.folder}/")
    if pattern.is_flat:
        assert path.rpartition("/")[0] == pattern.folder
    folders = path.split("/")[:-1]
    assert all(pattern.may_hold("/".join(folders[: index + 1])) for index in range(len(folders)))


@given(PATHS)
def test_a_path_names_itself_and_what_is_below(path: str) -> None:
    for text in (path, f"/{path}", f"./{path}"):
        assert Pattern(text).is_plain
        assert Pattern(text).matches(path)
        assert Pattern(text).matches(f"{path}/below")
        assert not Pattern(text).matches(f"{path}x")
    assert not Pattern(f"{path}/").matches(path)


@given(st.text(alphabet="ab*", min_size=1, max_size=60))
def test_no_pattern_takes_long(text: str) -> None:
    Pattern(f"x/{text.replace('**', '*')}b").matches("x/" + "ab" * 2000 + "c")


@pytest.mark.parametrize(
    ("text", "path", "expected"),
    [
        ("", "a/b", True),
        ("{a,b}", "a", False),
        ("{a,b}", "{a,b}", True),
        ("A*", "a1", False),
        ("a[", "a[", True),
        ("a[!b]c", "abc", False),
        ("a[!b]c", "axc", True),
        ("[]]", "]", True),
        ("*.csv", ".csv", True),
        ("a**b", "axxb", True),
        ("a**b", "a/b", False),
        ("data/*/", "data/a/b/c", True),
        ("**", f"{UNFINISHED}x", False),
        ("", f"a/{UNFINISHED}x/y", False),
        ("x\ny*", "x\ny\n", True),
    ],
)
def test_special_cases(text: str, path: str, expected: bool) -> None:
    assert Pattern(text).matches(path) == expected


@pytest.mark.parametrize("text", ["..", "a/..", "../*", "a\0b"])
def test_what_can_be_no_path_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        Pattern(text)
