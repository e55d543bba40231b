"""Databricks file systems."""

from __future__ import annotations

from typing import TYPE_CHECKING

from azureml.data import constants
from azureml.data.abstract_datastore import AbstractDatastore

if TYPE_CHECKING:
    from azureml.core.workspace import Workspace


class DBFSDatastore(AbstractDatastore):
    """A Databricks file system. Kept as registered; it needs a connector that this version does not have."""

    def __init__(self, workspace: Workspace, name: str) -> None:
        super().__init__(workspace, name, constants.DBFS)
