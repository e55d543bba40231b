"""Small files, and the tables of datasets over them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from penstock.model.datasets import DELIMITED, TABULAR, Dataset, Operation, Parsing, Place
from penstock.tabular import SourceFile, Table, open_table

Texts = str | bytes | Sequence[str | bytes]


class Tables:
    """Makes tables of texts; `seen` are the files of the last one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files: list[SourceFile] = []
        self._count = 0

    def write(self, text: str | bytes, extension: str = "csv") -> Path:
        """Write a file."""
        self._count += 1
        path = self.folder / f"file{self._count}.{extension}"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    def over(
        self,
        paths: Iterable[Path],
        operations: Sequence[tuple[str, dict[str, Any]]] = (),
        partitions: Sequence[Mapping[str, Any]] | None = None,
        partition_format: str | None = None,
        timestamp: str | None = None,
        kind: str = DELIMITED,
        **parsing: Any,
    ) -> Table:
        """Return the table of some files."""
        paths = list(paths)
        self.files = [
            SourceFile(str(path), f"/{path.name}", dict(partition))
            for path, partition in zip(paths, partitions or [{}] * len(paths), strict=True)
        ]
        dataset = Dataset(
            TABULAR,
            (Place(url="file:///data"),),
            parsing=Parsing(kind, **parsing),
            operations=tuple(Operation(*operation) for operation in operations),
            partition_format=partition_format,
            timestamp=timestamp,
        )
        return open_table(dataset, self.files)

    def __call__(self, texts: Texts, *operations: tuple[str, dict[str, Any]], **about: Any) -> Table:
        """Return the table of delimited texts, one for each file."""
        texts = [texts] if isinstance(texts, (str, bytes)) else list(texts)
        return self.over([self.write(text) for text in texts], operations, **about)


@pytest.fixture
def tables(tmp_path: Path) -> Tables:
    """Tables of texts: tables("a,b\\n1,2\\n").to_pandas()."""
    return Tables(tmp_path)


@pytest.fixture
def rows_of() -> Callable[[Any], list[dict[str, Any]]]:
    """The rows of a table as Python has them, with None for null."""

    def rows(table: Table) -> list[dict[str, Any]]:
        return [row for batch in table.batches() for row in batch.to_pylist()]

    return rows
