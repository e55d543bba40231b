"""How a build fails: what uv's words mean, and the errors that people read."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import takewhile

from penstock.model.errors import Invalid
from penstock.model.requirements import hide_credentials, normal_name

_FRAME = r"^[\s\u00d7\u2502\u251c\u2570\u2500\u25b6]+"  # what uv draws around its words
LAST_LINES = 40  # of the log, that an error carries

NETWORK, NOT_FETCHED, OFFLINE, UNKNOWN, NO_WHEEL, CONFLICT, NOT_MADE, NO_SPACE, READ_ONLY, OTHER = (
    "network",  # an index did not answer
    "not fetched",  # an address that a requirement names did not
    "offline",  # there is no network, and the cache does not have it
    "unknown",  # no index knows the name
    "no wheel",  # there is nothing ready-made for this Python
    "conflict",  # no versions go together
    "not made",  # a package could not be made from its source
    "no space",
    "read only",
    "other",
)

_NAME = r"([A-Za-z0-9][\w.-]*?)"
_VERSIONS = r"([<>=!~][^ ]*)"
# The first that is found in uv's words says what happened; the first group names the package, the second its versions.
_MEANINGS = (
    (NO_SPACE, r"No space left on device|Disk quota exceeded|os error 28\)|os error 122\)()"),
    (READ_ONLY, r"Read-only file system|os error 30\)()"),
    (OFFLINE, rf"Because {_NAME} was not found in the cache"),
    (OFFLINE, r"[Nn]etwork (?:connectivity )?(?:is|was) disabled()"),
    (UNKNOWN, rf"[Bb]ecause {_NAME} was not found in (?:the package registry|the provided package locations)"),
    (NOT_FETCHED, r"Failed to (?:download|fetch|download and build):? `(?:([^`]*) @ |git\+)[^`]*`|Git operation failed"),
    (NO_WHEEL, rf"\b{_NAME}{_VERSIONS}? (?:has|have) no (?:usable wheels|wheels with)"),
    (NO_WHEEL, r"Wheels are required for `([^`]+)`"),
    (NO_WHEEL, r"we only found wheels for `([^`]+)`"),
    (NOT_MADE, rf"Failed to (?:download and )?build `{_NAME}(==[^` ]*)?(?:[@ ][^`]*)?`"),
    (CONFLICT, r"No solution found when resolving()"),
    (NETWORK, r"error sending request|dns error|client error \(Connect\)|tcp connect error|Connection (?:refused|reset)|timed out()"),
    (NETWORK, r"Could not connect|[Nn]etwork is unreachable|Temporary failure in name resolution|error decoding response body()"),
)


@dataclass(frozen=True)
class Failure:
    """What uv said: the meaning, the package it names (None: none) and its versions, the words on one line, and the last of their lines."""

    meaning: str
    name: str | None
    versions: str
    words: str
    last: str = ""

    @property
    def reason(self) -> str:
        """The words that say why, without uv's advice about its own files."""
        if self.meaning in (NOT_MADE, NOT_FETCHED):
            return self.last
        because = re.search(r"\b(?:Because|Failed to) .*", self.words)
        return re.split(r"\s+hint: ", because.group() if because else self.words)[0].strip()


class Unsolvable(Exception):
    """It can't be built as it is asked for; `reason` says which requirement and why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class BuildFailed(Invalid):
    """An environment that can't be built as it is; `details["log"]` has the last lines of the log."""


def read_failure(lines: Iterable[str]) -> Failure:
    """Return what uv's words mean."""
    said = list(lines)
    words = join_words(said)
    for meaning, pattern in _MEANINGS:
        found = re.search(pattern, words)
        if found:
            name, versions, *_ = (*found.groups(), None, None)
            return Failure(
                meaning, normal_name(name.partition(" ")[0].partition("[")[0]) if name else None, versions or "", words, _last_line(said)
            )
    return Failure(OTHER, None, "", words, _last_line(said))


def _last_line(lines: Iterable[str]) -> str:
    """Return the last line before uv's advice, or that of an exception, where there is one."""
    bare = [re.sub(_FRAME, "", line).strip() for line in takewhile(lambda line: not line.startswith("hint:"), lines)]
    exceptions = [line for line in bare if re.match(r"[\w.]*(?:Error|Exception): |fatal: ", line)]
    return next(filter(None, reversed(exceptions or bare)), "")


def join_words(lines: Iterable[str]) -> str:
    """Return the lines of a message as one, without the frames around it; from where it fails."""
    text = " ".join(re.sub(_FRAME, "", line).strip() for line in lines)
    start = re.search(r"\berror: |No solution found|Failed to ", text)
    return hide_credentials(re.sub(r"\s+", " ", text[start.start() :] if start else text)).strip()


def list_named(words: str) -> list[str]:
    """Return the names of the packages that a message speaks of, those that 'you require' first, each once."""
    required = re.findall(rf"you require {_NAME}(?=[\[<>=!~,\s]|$)", words)
    others = re.findall(rf"\b{_NAME}(?:==|>=|<=|~=|<|>)[\d*]", words)
    parents = re.findall(r"`([^`]+)` \(v[^)]*\) depends on", words)
    return list(dict.fromkeys(normal_name(name) for name in (*required, *others, *parents)))


def build_failed(name: str, reason: str, log: Iterable[str]) -> BuildFailed:
    """Return the error of a build."""
    return BuildFailed(f"The environment '{name}' can't be built: {hide_credentials(reason)}", log=list(log)[-LAST_LINES:])
