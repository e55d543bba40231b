"""What all datastores have in common."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Dict, Optional, Tuple

from azureml.core._errors import v1_errors

if TYPE_CHECKING:
    from azureml.core.workspace import Workspace


class AbstractDatastore:
    """A named place for data in a workspace.

    Args:
        workspace: The workspace it belongs to.
        name: Its name.
        datastore_type: Its kind, such as 'AzureBlob'.
    """

    # What the text of a datastore shows besides its name. Credentials never belong here.
    _SHOWN: Tuple[str, ...] = ()

    def __init__(self, workspace: Workspace, name: str, datastore_type: str) -> None:
        self._workspace = workspace
        self._name = name
        self._datastore_type = datastore_type
        self._known: Optional[Dict[str, Any]] = None

    @property
    def _record(self) -> Dict[str, Any]:
        """The datastore's record; `root` is its folder when it is one of this machine."""
        if self._known is None:
            from azureml.exceptions import UserErrorException

            with v1_errors(not_found=UserErrorException):
                found: Dict[str, Any] = self._workspace._client.get_datastore(self._workspace._id, self._name)
            self._known = found
        return self._known

    def _ask_credential(self, name: str) -> Any:
        """The credential that the service keeps for it under a name; None where there is none."""
        if name not in (self._record.get("secret_names") or ()):
            return None
        with v1_errors():
            return self._workspace._client.get_datastore_secrets(self._workspace._id, self._name).get(name)

    def __repr__(self) -> str:
        shown = {"name": self._name, **{name: getattr(self, name, None) for name in self._SHOWN}}
        return json.dumps(shown, indent=2)

    @property
    def name(self) -> str:
        """The datastore's name."""
        return self._name

    @name.setter
    def name(self, value: str) -> None:
        self._name = value
        self._known = None

    @property
    def workspace(self) -> Workspace:
        """The workspace it belongs to."""
        return self._workspace

    @workspace.setter
    def workspace(self, value: Workspace) -> None:
        self._workspace = value
        self._known = None

    @property
    def datastore_type(self) -> str:
        """The datastore's kind."""
        return self._datastore_type

    @datastore_type.setter
    def datastore_type(self, value: str) -> None:
        self._datastore_type = value

    def set_as_default(self) -> None:
        """Make it the workspace's default datastore."""
        self._workspace.set_default_datastore(self._name)

    def unregister(self) -> None:
        """Take it out of the workspace. Its data stays."""
        with v1_errors():
            self._workspace._client.unregister_datastore(self._workspace._id, self._name)
