"""Rows: reads, transforms and writes tabular datasets with the pandas and pyarrow of the user's environment."""

from __future__ import annotations

import os
from typing import Any, List, Mapping, Sequence

from penstock.model.datasets import Dataset
from penstock.tabular.sources import SourceFile
from penstock.tabular.table import Table

__all__ = ["SourceFile", "Table", "open_table", "write_files_of"]


def open_table(dataset: Dataset, files: Sequence[SourceFile]) -> Table:
    """Return the table of a tabular dataset whose files are on this machine. Nothing is read yet.

    Raises:
        Invalid: The dataset is one of files.
    """
    return Table(dataset, files)


def write_files_of(client: Any, workspace_id: str, dataset_document: Mapping[str, Any], folder: str) -> List[str]:
    """Write the files of a `written` file dataset into a folder, and return their names.

    Args:
        client: A client of the service, which brings the table's files to this machine.
        workspace_id: The workspace.
        dataset_document: The dataset.
        folder: Where the files go; it is made if need be.

    Raises:
        Invalid: The dataset is not one of files written from a table, or the table can't be read.
        NotFound: The table's files are not there.
    """
    from penstock.model.datasets import format_dataset, parse_dataset
    from penstock.model.errors import Invalid
    from penstock.model.selection import Candidate, select_files

    dataset = parse_dataset(dataset_document)
    if dataset.written is None:
        raise Invalid("The files of this dataset lie somewhere already; only those of to_csv_files and to_parquet_files are written.")
    written = dataset.written
    staged = client.transfer(workspace_id, "stage", dataset=format_dataset(written.dataset))
    files = [SourceFile(file["local"], file["path"], file.get("partition") or {}) for file in staged["files"]]
    names = open_table(written.dataset, files).write_files(written.kind, folder, written.separator)
    chosen: List[str] = select_files(dataset, [Candidate(f"/{name}", f"/{name}", {}, name) for name in names])
    for name in names:
        if name not in chosen:
            os.unlink(os.path.join(folder, name))
    return chosen
