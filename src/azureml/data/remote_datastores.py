"""Datastores that v1 does not have: buckets, and any place that fsspec knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from azureml.data import constants
from azureml.data._credentials import Credential
from azureml.data._file_datastore import AbstractFileDatastore

if TYPE_CHECKING:
    from azureml.core.workspace import Workspace


class S3Datastore(AbstractFileDatastore):
    """A bucket of S3, or of a server that speaks like it.

    Args:
        workspace: The workspace it belongs to.
        name: Its name.
        bucket: The bucket.
        prefix: The folder of the bucket that is its root.
        endpoint_url: The server; Amazon's when None.
        region: The bucket's region.
        anonymous: It is read without credentials.
    """

    _SHOWN = ("bucket", "prefix", "endpoint_url", "region")
    access_key_id = Credential()
    secret_access_key = Credential()

    def __init__(
        self,
        workspace: Workspace,
        name: str,
        bucket: Any,
        prefix: Any = "",
        endpoint_url: Any = None,
        region: Any = None,
        anonymous: Any = False,
    ) -> None:
        super().__init__(workspace, name, constants.S3)
        self.bucket = bucket
        self.prefix = prefix or ""
        self.endpoint_url = endpoint_url
        self.region = region
        self.anonymous = bool(anonymous)


class GCSDatastore(AbstractFileDatastore):
    """A bucket of Google Cloud Storage.

    Args:
        workspace: The workspace it belongs to.
        name: Its name.
        bucket: The bucket.
        prefix: The folder of the bucket that is its root.
        project: The project that pays.
        endpoint_url: The server; Google's when None.
        anonymous: It is read without credentials.
    """

    _SHOWN = ("bucket", "prefix", "project", "endpoint_url")
    token = Credential()

    def __init__(
        self,
        workspace: Workspace,
        name: str,
        bucket: Any,
        prefix: Any = "",
        project: Any = None,
        endpoint_url: Any = None,
        anonymous: Any = False,
    ) -> None:
        super().__init__(workspace, name, constants.GCS)
        self.bucket = bucket
        self.prefix = prefix or ""
        self.project = project
        self.endpoint_url = endpoint_url
        self.anonymous = bool(anonymous)


class FsspecDatastore(AbstractFileDatastore):
    """A place that fsspec knows by its URL.

    Args:
        workspace: The workspace it belongs to.
        name: Its name.
        url: The place; without a password.
    """

    _SHOWN = ("url",)

    def __init__(self, workspace: Workspace, name: str, url: Any) -> None:
        super().__init__(workspace, name, constants.FSSPEC)
        self.url = url
