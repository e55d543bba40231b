"""What a run was made of: its source folder and its environment; and the secrets that it may read."""

from __future__ import annotations

from typing import Any, Dict, List, Optional

from azureml.core._run_record import RunRecord
from azureml.core._run_snapshots import SNAPSHOT_ID, restore_snapshot, take_snapshot
from penstock.model.run_types import PIPELINE_RUN

_REFERENCE = {"name", "version"}  # all that a run configuration says of an environment that it only names


class RunSources(RunRecord):
    """The part of a run that tells where it came from."""

    # ---- secrets ----

    def get_secret(self, name: str) -> str:
        """Return a secret of the workspace's key vault.

        Raises:
            ServiceException: There is none of this name; its `status_code` is 404.
        """
        return str(self.experiment.workspace.get_default_keyvault().get_secret(name))

    def get_secrets(self, secrets: List[str]) -> Dict[str, Optional[str]]:
        """Return several secrets of the workspace's key vault by name; None for one that is not there."""
        return dict(self.experiment.workspace.get_default_keyvault().get_secrets(secrets))

    # ---- environment ----

    def get_environment(self) -> Any:
        """Return the environment that the run asked for, as it was then.

        Raises:
            UserErrorException: The run has none: it is that of a pipeline, or one that its process drives itself.
        """
        from azureml.core.environment import Environment
        from azureml.exceptions import UserErrorException

        asked = (self._refresh().get("run_definition") or {}).get("environment")
        if not asked:
            raise UserErrorException(f"The run {self.id} was not submitted with an environment.")
        if set(asked) <= _REFERENCE:
            return Environment.get(self.experiment.workspace, asked["name"], version=asked.get("version"))
        return Environment._from_document(asked)

    # ---- source folder ----

    def get_snapshot_id(self) -> Optional[str]:
        """Return the id of the source folder's snapshot, or None."""
        return self.properties.get(SNAPSHOT_ID) or None

    def take_snapshot(self, file_or_folder_path: str) -> str:
        """Keep a file or a folder as the source of this run, and return the snapshot's id. A run has one snapshot.

        Raises:
            SnapshotException: The run has a snapshot already, there is no such path, or what is there is too large.
        """
        from azureml.exceptions import SnapshotException

        known = self.get_properties().get(SNAPSHOT_ID)
        if known:
            raise SnapshotException(
                f"The run {self.id} has the snapshot {known} already, and a run has one. Keep further files with "
                "run.upload_folder(name, path), or start the run with snapshot_directory=None."
            )
        snapshot_id = take_snapshot(self._client, file_or_folder_path)
        self.add_properties({SNAPSHOT_ID: snapshot_id})
        return snapshot_id

    def restore_snapshot(self, snapshot_id: Optional[str] = None, path: Optional[str] = None) -> str:
        """Write a snapshot into a zip file and return the file's path.

        Args:
            snapshot_id: The snapshot; this run's own when None.
            path: The zip file, or the folder for it; the current folder when None.

        Raises:
            SnapshotException: No snapshot is named, and the run has none.
            ServiceException: There is no such snapshot; its `status_code` is 404.
        """
        from azureml.exceptions import SnapshotException

        wanted = snapshot_id or self.get_snapshot_id()
        if not wanted:
            hint = " Each of its steps has one: run.get_steps()." if self.type == PIPELINE_RUN else ""
            raise SnapshotException(f"The run {self.id} has no snapshot.{hint}")
        return restore_snapshot(self._client, wanted, path)
