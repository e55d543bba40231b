"""What a path or pattern on a store names. The same rules for a folder of this machine and for an object store.

A plain path names a file, or all files below a folder. In a pattern, '*' and '?' and '[ab]' stay within one name, '**' stands for any
number of folders, none too, and at the end for everything below. Braces are plain letters; case counts; a leading '/' does not.
"""

from __future__ import annotations

import re

from penstock.compile.manifests import UNFINISHED
from penstock.model.errors import Invalid

_WILD = re.compile(r"[*?\[]")
_ANY_FOLDERS = "**"


class Pattern:
    """One path or pattern.

    Args:
        text: As the user wrote it.

    Raises:
        Invalid: It leads upwards, or can't be a path at all.

    Attributes:
        text: Its plain form: no leading, doubled or trailing '/', no '.'.
        folder: The folder in which all that it names lies; '' for the root.
        prefix: How the path of everything begins that it names, but for a plain path itself: as far as there are no wildcards.
        is_plain: It has no wildcards: it names one file, or one folder.
        is_flat: What it names lies in `folder` itself, not deeper.
    """

    def __init__(self, text: str) -> None:
        names = _split(text)
        first = next((index for index, name in enumerate(names) if _WILD.search(name)), len(names))
        self.text = "/".join(names)
        self.is_plain = first == len(names)
        self.prefix = _WILD.split(self.text, maxsplit=1)[0] if not self.is_plain else f"{self.text}/" if self.text else ""
        self._only_below = text.endswith("/")
        if self._only_below and not self.is_plain and names[-1] != _ANY_FOLDERS:
            names = [*names, _ANY_FOLDERS]
        if names and names[-1] == _ANY_FOLDERS:
            names = [*names, "*"]
        self.folder = "/".join(names[:first])
        self.is_flat = not self.is_plain and first == len(names) - 1
        self._names = [None if name == _ANY_FOLDERS else _compile(name) for name in names]

    def matches(self, path: str) -> bool:
        """Tell whether the file with this path is one of those that the pattern names."""
        if is_unfinished(path):
            return False
        if self.is_plain:
            return not self.text or path.startswith(f"{self.text}/") or (path == self.text and not self._only_below)
        return _matches(self._names, path.split("/"))

    def may_hold(self, folder: str) -> bool:
        """Tell whether something below this folder can be named by the pattern."""
        if self.is_plain:
            return True
        for name, wanted in zip(folder.split("/"), self._names, strict=False):
            if wanted is None:
                return True
            if not wanted.fullmatch(name):
                return False
        return folder.count("/") + 1 < len(self._names)


def is_unfinished(path: str) -> bool:
    """Tell whether a path is that of a file that is still being written, or lies in such a folder."""
    return UNFINISHED in path and any(name.startswith(UNFINISHED) for name in path.split("/"))


def _split(text: str) -> list[str]:
    if "\0" in text:
        raise Invalid(f"{text[:200]!r} can't be a path.")
    names = [name for name in text.split("/") if name not in ("", ".")]
    if ".." in names:
        raise Invalid(f"The path '{text[:200]}' leaves its datastore; name one below its root, without '..'.")
    return names


def _matches(wanted: list[re.Pattern[str] | None], names: list[str]) -> bool:
    """Match names one by one; after '**' (None) the shortest way that leads on is as good as any other."""
    at = here = 0
    retry: tuple[int, int] | None = None  # behind the last '**', and the next name where it may end
    while here < len(names):
        if at < len(wanted) and (name := wanted[at]) is None:
            retry, at = (at + 1, here), at + 1
        elif at < len(wanted) and name is not None and name.fullmatch(names[here]):
            at, here = at + 1, here + 1
        elif retry is not None:
            at, here = retry[0], retry[1] + 1
            retry = (at, here)
        else:
            return False
    return at == len(wanted)


def _compile(name: str) -> re.Pattern[str]:
    """Return the regular expression of one name of a pattern."""
    parts: list[str] = [""]  # what stands between the stars
    at = 0
    while at < len(name):
        letter = name[at]
        at += 1
        if letter == "*":
            parts.append("")
        elif letter == "?":
            parts[-1] += "."
        elif letter == "[" and (end := _end_of_class(name, at)):
            parts[-1] += _class(name[at:end])
            at = end + 1
        else:
            parts[-1] += re.escape(letter)
    return re.compile(_join(parts), re.DOTALL)


def _join(parts: list[str]) -> str:
    """Join by stars. The first place where a middle part fits is kept, so that no pattern takes more than a moment."""
    first, *rest = parts
    if not rest:
        return first
    *middle, last = rest
    return first + "".join(f"(?=(?P<m{n}>.*?{part}))(?P=m{n})" for n, part in enumerate(middle) if part) + f".*{last}"


def _end_of_class(name: str, start: int) -> int:
    """Return where the ']' of a '[' before `start` stands; 0 when it has none, and is a plain letter."""
    inside = start + 1 if name[start : start + 1] == "!" else start
    return max(name.find("]", inside + 1), 0)


def _class(text: str) -> str:
    negated = text.startswith("!")
    letters = text[1:] if negated else text
    items, at = [], 0
    while at < len(letters):
        low = high = letters[at]
        if letters[at + 1 : at + 2] == "-" and at + 2 < len(letters):
            high, at = letters[at + 2], at + 2
        at += 1
        if low <= high:
            items.append(re.escape(low) if low == high else f"{re.escape(low)}-{re.escape(high)}")
    if not items:
        return "." if negated else r"(?!)"
    return f"[{'^' if negated else ''}{''.join(items)}]"
