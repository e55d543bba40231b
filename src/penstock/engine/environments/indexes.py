"""Where packages come from: what pip is set up with, in uv's variables, unless uv itself is set up."""

from __future__ import annotations

import configparser
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

# pip's setting, uv's variable, and what stands between several values of it (None: there is one).
_SETTINGS: tuple[tuple[str, str, str | None], ...] = (
    ("index-url", "UV_DEFAULT_INDEX", None),
    ("extra-index-url", "UV_INDEX", " "),
    ("find-links", "UV_FIND_LINKS", ","),
    ("trusted-host", "UV_INSECURE_HOST", " "),
    ("no-index", "UV_NO_INDEX", None),
    ("cert", "SSL_CERT_FILE", None),
    ("proxy", "ALL_PROXY", None),
    ("timeout", "UV_HTTP_TIMEOUT", None),
    ("pre", "UV_PRERELEASE", None),
)
# Whoever set one of these has set up uv's indexes, all of them: pip's are not mixed in.
_OWN_INDEXES = ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_INDEX", "UV_EXTRA_INDEX_URL", "UV_NO_INDEX")
_OWN = {
    "UV_DEFAULT_INDEX": _OWN_INDEXES,
    "UV_INDEX": _OWN_INDEXES,
    "UV_NO_INDEX": _OWN_INDEXES,
    "ALL_PROXY": ("HTTPS_PROXY", "https_proxy", "all_proxy"),
    "UV_HTTP_TIMEOUT": ("UV_REQUEST_TIMEOUT", "HTTP_TIMEOUT"),
}
_OF_PLACES = {"UV_DEFAULT_INDEX", "UV_INDEX", "UV_FIND_LINKS", "UV_NO_INDEX"}
_SECTIONS = ("global", "install")


def uv_variables(environment: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the variables that tell uv what pip is set up with. They may hold credentials: hand them over, never show them."""
    environment = os.environ if environment is None else environment
    pip = read_pip_settings(environment)
    skipped = _OF_PLACES if _is_uv_set_up(environment) else set()
    found: dict[str, str] = {}
    for name, variable, separator in _SETTINGS:
        value = pip.get(name, "").strip()
        if value and variable not in skipped and not any(environment.get(own) for own in (variable, *_OWN.get(variable, ()))):
            found[variable] = _in_uvs_words(variable, separator.join(value.split()) if separator else value)
    if not environment.get("UV_INDEX_STRATEGY"):
        found["UV_INDEX_STRATEGY"] = "unsafe-best-match"  # as pip: the best version of all indexes, not the first index that has any
    return {name: value for name, value in found.items() if value}


def _in_uvs_words(variable: str, value: str) -> str:
    if variable == "UV_NO_INDEX":
        return "" if value.lower() in ("0", "false", "no", "off", "f", "n") else "1"
    if variable == "UV_PRERELEASE":
        return "allow" if value.lower() in ("1", "true", "yes", "on", "t", "y") else ""
    return value


def read_pip_settings(environment: Mapping[str, str]) -> dict[str, str]:
    """Return pip's settings: its files, the more particular later, then its variables, which win."""
    settings: dict[str, str] = {}
    for path in _list_files(environment):
        parser = configparser.RawConfigParser()
        try:
            parser.read(path, encoding="utf-8")
        except (configparser.Error, UnicodeDecodeError):
            continue  # pip itself would complain; a build need not
        for section in _SECTIONS:
            if parser.has_section(section):
                settings.update((key.replace("_", "-"), value) for key, value in parser.items(section))
    named = ((name[4:].lower().replace("_", "-"), value) for name, value in environment.items() if name.startswith("PIP_"))
    settings.update((name, value) for name, value in named if value)
    if "default-timeout" in settings:
        settings.setdefault("timeout", settings["default-timeout"])
    return settings


def _list_files(environment: Mapping[str, str]) -> Iterator[Path]:
    chosen = environment.get("PIP_CONFIG_FILE")
    if chosen == os.devnull:
        return
    home = Path(environment.get("HOME") or Path.home())
    shared = [folder for folder in environment.get("XDG_CONFIG_DIRS", "/etc/xdg").split(os.pathsep) if folder]
    yield from (Path(folder) / "pip" / "pip.conf" for folder in shared)
    yield Path("/etc/pip.conf")
    yield home / ".pip" / "pip.conf"
    yield Path(environment.get("XDG_CONFIG_HOME") or home / ".config") / "pip" / "pip.conf"
    if sys.platform == "darwin":
        yield home / "Library" / "Application Support" / "pip" / "pip.conf"
    yield Path(sys.prefix) / "pip.conf"
    if chosen:
        yield Path(chosen)


def _is_uv_set_up(environment: Mapping[str, str]) -> bool:
    """Tell whether a configuration file of uv's own says where packages come from."""
    home = Path(environment.get("HOME") or Path.home())
    named = [Path(environment["UV_CONFIG_FILE"])] if environment.get("UV_CONFIG_FILE") else []
    users = Path(environment.get("XDG_CONFIG_HOME") or home / ".config") / "uv" / "uv.toml"
    for path in (*named, users, Path("/etc/uv/uv.toml")):
        try:
            text = path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        if "index" in text or "find-links" in text:
            return True
    return False
