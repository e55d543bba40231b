"""Packages made on the spot: wheels by hand, and a source package whose build waits until a test lets it go on. No network is needed."""

from __future__ import annotations

import io
import os
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

# A build backend without dependencies. It tells that it was begun, waits for the gate, and writes a wheel.
_BACKEND = """
import os, time, zipfile

def get_requires_for_build_wheel(config_settings=None):
    return []

def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    with open({begun!r}, "a") as file:
        file.write("begun\\n")
    print("waiting for the gate", flush=True)
    while not os.path.exists({gate!r}):
        time.sleep(0.02)
    name = "{name}-{version}-py3-none-any.whl"
    about = "{name}-{version}.dist-info"
    with zipfile.ZipFile(os.path.join(wheel_directory, name), "w") as wheel:
        wheel.writestr("{name}.py", "VERSION = '{version}'")
        wheel.writestr(about + "/METADATA", "Metadata-Version: 2.1\\nName: {name}\\nVersion: {version}\\n")
        wheel.writestr(about + "/WHEEL", "Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr(about + "/RECORD", "")
    return name
"""
_PROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]

[project]
name = "{name}"
version = "{version}"
"""


@dataclass(frozen=True)
class Slow:
    """A package whose build waits for a gate."""

    begun: Path
    gate: Path

    def times_begun(self) -> int:
        """Return how often its build has begun."""
        return len(self.begun.read_text().splitlines()) if self.begun.exists() else 0

    def open(self) -> None:
        """Let its build go on."""
        self.gate.touch()


@dataclass(frozen=True)
class Index:
    """A folder of packages that stands for the package index."""

    folder: Path

    def add(self, name: str, version: str = "1.0", requires: str = "") -> None:
        """Make a wheel: a module of the package's name, which knows its VERSION."""
        about = f"{name}-{version}.dist-info"
        metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n" + (f"Requires-Dist: {requires}\n" if requires else "")
        with zipfile.ZipFile(self.folder / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
            wheel.writestr(f"{name}.py", f"VERSION = '{version}'\n")
            wheel.writestr(f"{about}/METADATA", metadata)
            wheel.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            wheel.writestr(f"{about}/RECORD", "")

    def add_slow(self, name: str, version: str = "1.0") -> Slow:
        """Make a source package whose build waits for its gate."""
        slow = Slow(self.folder / f"{name}.begun", self.folder / f"{name}.gate")
        words = {"name": name, "version": version, "begun": str(slow.begun), "gate": str(slow.gate)}
        files = {
            "pyproject.toml": _PROJECT.format(**words),
            "backend.py": _BACKEND.format(**words),
            "PKG-INFO": f"Metadata-Version: 2.2\nName: {name}\nVersion: {version}\n",
        }
        with tarfile.open(self.folder / f"{name}-{version}.tar.gz", "w:gz") as archive:
            for path, text in files.items():
                member = tarfile.TarInfo(f"{name}-{version}/{path}")
                member.size = len(text.encode())
                archive.addfile(member, io.BytesIO(text.encode()))
        return slow


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Index]:
    """An index of the test's own; what is built in this test knows no other, and nothing that was cached before."""
    folder = tmp_path / "index"
    folder.mkdir()
    for name in list(os.environ):
        if name.startswith(("UV_", "PIP_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("UV_NO_INDEX", "1")
    monkeypatch.setenv("UV_FIND_LINKS", str(folder))
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv-cache"))
    yield Index(folder)
    for begun in folder.glob("*.begun"):  # what waits for its gate although its builder was killed waits for nobody
        begun.with_suffix(".gate").touch()
