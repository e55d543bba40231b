"""Keeps a person's comments in a YAML file that is read, changed and written again.

Comments are known by the key they stand at: the lines above it, and the words after it on its line.
"""

from __future__ import annotations

import re
from typing import Dict, Iterator, List, Optional, Tuple

Path = Tuple[str, ...]
Comments = Dict[Path, Tuple[List[str], str]]

_END: Path = ()
_KEY = re.compile(r"^( *)([^\s#\-][^:#]*?) *:(?: +(.*))?$")
_AFTER = re.compile(r"""^(?:"[^"]*"|'[^']*'|[^"'#]*?)\s*(#.*)$""")


def find_comments(text: str) -> Comments:
    """Return the comments of a YAML text by key."""
    found: Comments = {}
    above: List[str] = []
    for line, path in _keys_of(text):
        if line.strip().startswith("#"):
            above.append(line.strip())
        elif path is not None:
            after = _after(line)
            if above or after:
                found[path] = (above, after)
            above = []
    if above:
        found[_END] = (above, "")
    return found


def put_comments(text: str, comments: Comments) -> str:
    """Return a YAML text with comments at the keys they belong to; those of keys that are gone are left out."""
    lines: List[str] = []
    for line, path in _keys_of(text):
        above, after = comments.get(path, ([], "")) if path else ([], "")
        indent = " " * (len(line) - len(line.lstrip()))
        lines.extend(indent + comment for comment in above)
        lines.append(f"{line}  {after}" if after else line)
    lines.extend(comments.get(_END, ([], ""))[0])
    return "\n".join(lines) + "\n"


def _after(line: str) -> str:
    key = _KEY.match(line)
    comment = _AFTER.match(key.group(3) or "") if key else None
    return comment.group(1) if comment else ""


def _keys_of(text: str) -> Iterator[Tuple[str, Optional[Path]]]:
    """Give each line with the path of the key that begins on it, if one does."""
    open_keys: List[Tuple[int, str]] = []
    for line in text.splitlines():
        match = _KEY.match(line)
        if match is None:
            yield line, None
            continue
        indent = len(match.group(1))
        while open_keys and open_keys[-1][0] >= indent:
            open_keys.pop()
        open_keys.append((indent, match.group(2).replace("_", "").lower()))
        yield line, tuple(key for _, key in open_keys)
