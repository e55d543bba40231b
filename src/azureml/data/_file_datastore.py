"""What datastores of files offer: references to places on them, and copying to and from them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, List, Optional

from azureml.data.abstract_datastore import AbstractDatastore

if TYPE_CHECKING:
    from azureml.data.data_reference import DataReference


class AbstractFileDatastore(AbstractDatastore):
    """A datastore of files; a local one is a folder and is copied in place, all others are reached through the service."""

    # ---- references ----

    def path(self, path: Optional[str] = None, data_reference_name: Optional[str] = None) -> DataReference:
        """Return a reference to a place on this datastore.

        Args:
            path: The place; the root when None.
            data_reference_name: The reference's name; a random one when None.
        """
        from azureml.data.data_reference import DataReference

        return DataReference(self).path(path, data_reference_name)

    def as_mount(self) -> DataReference:
        """Return a reference to the root, to be mounted."""
        return self.path().as_mount()

    def as_download(self, path_on_compute: Optional[str] = None) -> DataReference:
        """Return a reference to the root, to be downloaded."""
        return self.path().as_download(path_on_compute)

    def as_upload(self, path_on_compute: Optional[str] = None) -> DataReference:
        """Return a reference to the root, to be uploaded to."""
        return self.path().as_upload(path_on_compute)

    # ---- files ----

    def upload(self, src_dir: str, target_path: Optional[str] = None, overwrite: bool = False, show_progress: bool = True) -> DataReference:
        """Copy a folder's content to the datastore and return a reference to it.

        Args:
            src_dir: The folder.
            target_path: Where to on the datastore; the root when None.
            overwrite: Replace files that are there already; otherwise they are left alone.
            show_progress: Print a line for each file.

        Raises:
            UserErrorException: There is no such folder.
        """
        from azureml.data._transfer import folder_pairs, upload

        upload(self, folder_pairs(os.fspath(src_dir), target_path), overwrite, show_progress)
        return self._uploaded(target_path)

    def upload_files(
        self,
        files: List[str],
        relative_root: Optional[str] = None,
        target_path: Optional[str] = None,
        overwrite: bool = False,
        show_progress: bool = True,
    ) -> DataReference:
        """Copy files to the datastore and return a reference to where they are.

        Args:
            files: The files.
            relative_root: Their paths below this folder are kept; by default below the folder that they share.
            target_path: Where to on the datastore; the root when None.
            overwrite: Replace files that are there already; otherwise they are left alone.
            show_progress: Print a line for each file.

        Raises:
            UserErrorException: A file does not exist, or lies outside the root.
        """
        from azureml.data._transfer import file_pairs, upload

        upload(self, file_pairs(files, relative_root, target_path), overwrite, show_progress)
        return self._uploaded(target_path)

    def _uploaded(self, target_path: Optional[str]) -> DataReference:
        from azureml.data._paths import clean
        from azureml.data.data_reference import DataReference

        return DataReference(self, path_on_datastore=clean(target_path))

    def download(self, target_path: str, prefix: Optional[str] = None, overwrite: bool = False, show_progress: bool = True) -> int:
        """Copy files from the datastore and return how many.

        Args:
            target_path: The folder that gets them, each with its whole path on the datastore.
            prefix: Only files whose path begins with this text.
            overwrite: Replace files that are there already; otherwise they are left alone.
            show_progress: Print a line for each file.
        """
        from azureml.data._transfer import download

        return download(self, os.fspath(target_path), prefix, overwrite, show_progress)
