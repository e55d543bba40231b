"""Workspaces: where experiments, runs, data and compute targets belong."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Dict, List, Optional

from azureml.core import _config_file, _names
from azureml.core._config_file import Identity
from azureml.core._errors import v1_errors
from azureml.core._portal import HasWorkspacePortal
from azureml.core._refusal import not_built
from azureml.core._workspace_compute import ClusterConfiguration, ComputeTargets, tell_once

if TYPE_CHECKING:
    from azureml.core.experiment import Experiment
    from azureml.core.keyvault import Keyvault
    from azureml.core.run import Run
    from azureml.data._registry import RegisteredDatasets

WORKSPACE_DEFAULT_BLOB_STORE_NAME = "workspaceblobstore"

_DEFAULT_SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"
_DEFAULT_GROUP = "local"
_DEFAULT_LOCATION = "local"


class Workspace(HasWorkspacePortal):
    """A place for experiments, runs, data and compute targets.

    The names of an Azure workspace mean a local workspace of these names, made on its first use. Nothing is asked of Azure.

    Args:
        subscription_id: Any text; with the resource group and the name it identifies the workspace.
        resource_group: Any text.
        workspace_name: 3 to 33 letters, digits, '_' or '-'.
        auth: Kept for scripts that read it; the local service needs none.
        sku: Kept.
        tags: Tags for a workspace that is made now.
    """

    DEFAULT_CPU_CLUSTER_NAME = "cpu-cluster"
    DEFAULT_GPU_CLUSTER_NAME = "gpu-cluster"
    DEFAULT_CPU_CLUSTER_CONFIGURATION = ClusterConfiguration("STANDARD_DS2_V2")
    DEFAULT_GPU_CLUSTER_CONFIGURATION = ClusterConfiguration("STANDARD_NC6")

    def __init__(
        self,
        subscription_id: str,
        resource_group: str,
        workspace_name: str,
        auth: Any = None,
        _location: Optional[str] = None,
        _disable_service_check: bool = False,
        _workspace_id: Optional[str] = None,
        sku: str = "basic",
        tags: Optional[Dict[str, str]] = None,
        _cloud: str = "AzureCloud",
    ) -> None:
        self._settle(Identity(str(subscription_id), str(resource_group), str(workspace_name)), auth, _workspace_id)
        self._sku = sku
        if _workspace_id is None:
            _names.check_workspace_name(workspace_name)
            self._load(tags)

    def _settle(self, identity: Identity, auth: Any, workspace_id: Optional[str]) -> None:
        self._identity = identity
        self._given_auth = auth
        self._known_id = workspace_id
        self._cached: Optional[Dict[str, Any]] = None
        self._sku = "basic"

    @classmethod
    def _from_record(cls, record: Dict[str, Any], auth: Any = None) -> Workspace:
        workspace = cls.__new__(cls)
        workspace._settle(Identity(record["subscription_id"], record["resource_group"], record["name"]), auth, record["id"])
        workspace._cached = record
        return workspace

    def _load(self, tags: Optional[Dict[str, str]] = None) -> Dict[str, Any]:
        """The workspace's record; fetched once, and made by the service where it is new."""
        if self._cached is None:
            from azureml.exceptions import ProjectSystemException

            with v1_errors(not_found=ProjectSystemException):
                record = self._client.resolve_workspace(
                    subscription_id=self._identity.subscription_id,
                    resource_group=self._identity.resource_group,
                    name=self._identity.name,
                    create=True,
                )
                self._cached = self._client.update_workspace(record["id"], tags=tags) if tags else record
        return self._cached

    @property
    def _client(self) -> Any:
        # Asked for each time and never kept: copies of objects that hold a workspace must not copy connections.
        from penstock.client import connect

        return connect()

    @property
    def _id(self) -> str:
        return str(self._known_id or self._load()["id"])

    @property
    def _auth_object(self) -> Any:
        if self._given_auth is None:
            from azureml.core.authentication import InteractiveLoginAuthentication

            self._given_auth = InteractiveLoginAuthentication()
        return self._given_auth

    _auth = _auth_object

    @property
    def _workspace_id(self) -> str:
        return self._id

    def __deepcopy__(self, memo: Any) -> Workspace:
        return self  # one workspace, however many configurations mention it

    def __repr__(self) -> str:
        subscription_id, resource_group, name = self._identity
        return f"Workspace.create(name='{name}', subscription_id='{subscription_id}', resource_group='{resource_group}')"

    # ---- finding and making ----

    @staticmethod
    def create(
        name: str,
        auth: Any = None,
        subscription_id: Optional[str] = None,
        resource_group: Optional[str] = None,
        location: Optional[str] = None,
        create_resource_group: bool = True,
        sku: str = "basic",
        tags: Optional[Dict[str, str]] = None,
        friendly_name: Optional[str] = None,
        storage_account: Optional[str] = None,
        key_vault: Optional[str] = None,
        app_insights: Optional[str] = None,
        container_registry: Optional[str] = None,
        adb_workspace: Optional[str] = None,
        primary_user_assigned_identity: Optional[str] = None,
        cmk_keyvault: Optional[str] = None,
        resource_cmk_uri: Optional[str] = None,
        hbi_workspace: bool = False,
        default_cpu_compute_target: Any = None,
        default_gpu_compute_target: Any = None,
        private_endpoint_config: Any = None,
        private_endpoint_auto_approval: bool = True,
        exist_ok: bool = False,
        show_output: bool = True,
        user_assigned_identity_for_cmk_encryption: Optional[str] = None,
        system_datastores_auth_mode: str = "accessKey",
        v1_legacy_mode: Optional[bool] = None,
    ) -> Workspace:
        """Make a workspace and return it. What only Azure needs is kept with it and has no effect.

        Args:
            name: 3 to 33 letters, digits, '_' or '-'.
            exist_ok: Return the workspace of this name when there is one.
            default_cpu_compute_target: A configuration; makes the compute target `cpu-cluster`.
            default_gpu_compute_target: A configuration; makes the compute target `gpu-cluster`.

        Raises:
            UserErrorException: The name does not follow the rule.
            WorkspaceException: There is such a workspace, and `exist_ok` is false.
        """
        from azureml.exceptions import WorkspaceException

        given = locals()
        _names.check_workspace_name(name)
        with v1_errors(exists=WorkspaceException):
            record = _connect().create_workspace(
                name,
                subscription_id=subscription_id or _DEFAULT_SUBSCRIPTION,
                resource_group=resource_group or _DEFAULT_GROUP,
                location=location or _DEFAULT_LOCATION,
                tags={"createdByToolkit": "penstock", **(tags or {})},
                details={key: given[key] for key in _KEPT if given[key] is not None},
                exist_ok=exist_ok,
            )
        workspace = Workspace._from_record(record, auth)
        workspace._make_clusters(default_cpu_compute_target, default_gpu_compute_target)
        return workspace

    def _make_clusters(self, cpu: Any, gpu: Any) -> None:
        from azureml.core.compute.compute import ComputeTarget

        for name, configuration in ((self.DEFAULT_CPU_CLUSTER_NAME, cpu), (self.DEFAULT_GPU_CLUSTER_NAME, gpu)):
            if configuration is not None and name not in self.compute_targets:
                ComputeTarget.create(self, name, configuration)

    @staticmethod
    def get(
        name: str,
        auth: Any = None,
        subscription_id: Optional[str] = None,
        resource_group: Optional[str] = None,
        location: Optional[str] = None,
        cloud: str = "AzureCloud",
        id: Optional[str] = None,
    ) -> Workspace:
        """Return the workspace of this name. Without subscription and group the one known by the name is meant.

        Raises:
            WorkspaceException: Several workspaces have this name, and the other arguments do not tell which is meant.
        """
        from azureml.exceptions import WorkspaceException

        if subscription_id and resource_group:
            return Workspace(subscription_id, resource_group, name, auth=auth)
        with v1_errors():
            known = _connect().list_workspaces(subscription_id=subscription_id, resource_group=resource_group)
        same = [record for record in known if record["name"].lower() == str(name).lower()]
        if len(same) > 1:
            places = ", ".join(f"{record['subscription_id']}/{record['resource_group']}" for record in same)
            raise WorkspaceException(
                f"There are {len(same)} workspaces named '{name}': {places}. Give subscription_id and resource_group.", found_multiple=True
            )
        if same:
            return Workspace._from_record(same[0], auth)
        return Workspace(subscription_id or _DEFAULT_SUBSCRIPTION, resource_group or _DEFAULT_GROUP, name, auth=auth)

    @staticmethod
    def from_config(path: Any = None, auth: Any = None, _logger: Any = None, _file_name: Optional[str] = None) -> Workspace:
        """Return the workspace that a configuration file names.

        The file is looked for from `path` upward: `.azureml/config.json` first, then `aml_config/config.json`, then
        `config.json`. Inside a run without such a file it is the run's workspace. Elsewhere it is the default local
        workspace, and a line of log says so.

        Args:
            path: The file, or the folder where the search begins; the current folder when None.
            auth: Kept for scripts that read it.

        Raises:
            UserErrorException: The file can't be read or does not name a workspace.
        """
        found = _config_file.find(os.fspath(path) if path is not None else None, _file_name)
        if found is not None:
            return Workspace(*_config_file.read(found), auth=auth)
        return Workspace._of_this_run(auth) or Workspace._default(auth)

    @staticmethod
    def _of_this_run(auth: Any = None) -> Optional[Workspace]:
        """The workspace of the run that this process belongs to, known without asking the service."""
        from penstock.runtime.context import find_context

        context = find_context()
        if context is None:
            return None
        workspace = Workspace.__new__(Workspace)
        identity = Identity(context.subscription_id, context.resource_group, context.workspace_name)
        workspace._settle(identity, auth, context.workspace_id)
        return workspace

    @staticmethod
    def _default(auth: Any = None) -> Workspace:
        with v1_errors():
            record = _connect().default_workspace()
        tell_once(f"No config.json names a workspace here: using the default local workspace '{record['name']}'.")
        return Workspace._from_record(record, auth)

    @staticmethod
    def list(subscription_id: str, auth: Any = None, resource_group: Optional[str] = None) -> Dict[str, List[Workspace]]:
        """Return the workspaces of a subscription: name -> workspaces, as a name may appear in several groups."""
        with v1_errors():
            records = _connect().list_workspaces(subscription_id=subscription_id, resource_group=resource_group)
        found: Dict[str, List[Workspace]] = {}
        for record in records:
            found.setdefault(record["name"], []).append(Workspace._from_record(record, auth))
        return found

    @staticmethod
    def setup() -> Workspace:
        """Return the workspace of the configuration file, or the default one and write its file. Asks nothing."""
        workspace = Workspace.from_config()
        if _config_file.find() is None:
            workspace.write_config()
        return workspace

    def write_config(self, path: Any = None, file_name: Optional[str] = None) -> None:
        """Write `.azureml/config.json`, which `from_config` finds.

        Args:
            path: The folder that gets `.azureml`; the current one when None.
            file_name: Another file name; its extension becomes `.json`.

        Raises:
            UserErrorException: The file can't be written.
        """
        _config_file.write(self._identity, os.fspath(path) if path is not None else None, file_name)

    # ---- what it is ----

    @property
    def name(self) -> str:
        """The workspace's name."""
        return self._identity.name

    @property
    def subscription_id(self) -> str:
        """The subscription, as given."""
        return self._identity.subscription_id

    @property
    def resource_group(self) -> str:
        """The resource group, as given."""
        return self._identity.resource_group

    @property
    def location(self) -> str:
        """The region; `local` unless one was given."""
        return str(self._load()["location"] or _DEFAULT_LOCATION)

    @property
    def sku(self) -> str:
        """The edition, as given."""
        return str((self._load().get("details") or {}).get("sku") or self._sku)

    @property
    def tags(self) -> Dict[str, str]:
        """The workspace's tags."""
        return dict(self._load()["tags"] or {})

    @property
    def discovery_url(self) -> str:
        """An address, for scripts that print it; nothing listens there."""
        return f"{self.portal_url}/discovery"

    @property
    def service_context(self) -> Any:
        """v1's internal clients, which Penstock does not have."""
        raise not_built("Workspace.service_context", "Use the public methods of the workspace and its runs.")

    def get_details(self) -> Dict[str, Any]:
        """Return all facts about the workspace under v1's names. Resource ids are made up from its name."""
        record = self._load()
        details = record.get("details") or {}
        short = "".join(letter for letter in self.name.lower() if letter.isalnum())[:16]
        return {
            "id": self._identity.scope,
            "name": self.name,
            "identity": {"principal_id": self._id, "tenant_id": _DEFAULT_SUBSCRIPTION, "type": "SystemAssigned"},
            "location": self.location,
            "type": "Microsoft.MachineLearningServices/workspaces",
            "tags": self.tags,
            "sku": self.sku,
            "workspaceid": self._id,
            "sdkTelemetryAppInsightsKey": "",
            "description": details.get("description") or "",
            "friendlyName": details.get("friendly_name") or self.name,
            "creationTime": record["created_at"],
            "containerRegistry": details.get("container_registry") or self._resource("Microsoft.ContainerRegistry/registries", short),
            "keyVault": details.get("key_vault") or self._resource("Microsoft.KeyVault/vaults", f"{short}keyvault"),
            "applicationInsights": details.get("app_insights") or self._resource("Microsoft.Insights/components", f"{short}insights"),
            "storageAccount": details.get("storage_account") or self._resource("Microsoft.Storage/storageAccounts", f"{short}storage"),
            "hbiWorkspace": bool(details.get("hbi_workspace")),
            "allowPublicAccessWhenBehindVnet": bool(details.get("allow_public_access_when_behind_vnet")),
            "provisioningState": "Succeeded",
            "imageBuildCompute": details.get("image_build_compute") or "",
            "discoveryUrl": self.discovery_url,
            "notebookInfo": {"fqdn": "local", "resource_id": self._id},
        }

    def _resource(self, provider: str, name: str) -> str:
        return f"/subscriptions/{self.subscription_id}/resourcegroups/{self.resource_group}/providers/{provider}/{name}"

    # ---- what it holds ----

    @property
    def experiments(self) -> Dict[str, Experiment]:
        """The active experiments by name."""
        from azureml.core.experiment import Experiment

        return {experiment.name: experiment for experiment in Experiment.list(self)}

    @property
    def datastores(self) -> Dict[str, Any]:
        """The datastores by name."""
        from azureml.core.datastore import _make

        with v1_errors():
            return {record["name"]: _make(self, record) for record in self._client.list_datastores(self._id)}

    @property
    def compute_targets(self) -> Dict[str, Any]:
        """The compute targets by name. Indexing a name that is missing makes it, as a share of this machine."""
        from azureml.core.compute.compute import ComputeTarget

        return ComputeTargets(self, {target.name: target for target in ComputeTarget.list(self)})

    @property
    def environments(self) -> Dict[str, Any]:
        """The latest version of each environment by name."""
        from azureml.core.environment import Environment

        return dict(Environment.list(self))

    @property
    def datasets(self) -> RegisteredDatasets:
        """The registered datasets by name: the latest version of each, loaded when it is asked for."""
        from azureml.data._registry import RegisteredDatasets

        return RegisteredDatasets(self)

    @property
    def models(self) -> Dict[str, Any]:
        """The latest version of each registered model by name. Their files are looked at when they are needed."""
        from azureml.core.model import Model

        return {model.name: model for model in Model.list(self, latest=True) if model.name is not None}

    @property
    def images(self) -> Dict[str, Any]:
        """Nothing: images belong to Azure's deployments."""
        return {}

    @property
    def webservices(self) -> Dict[str, Any]:
        """Nothing: web services belong to Azure's deployments."""
        return {}

    @property
    def linked_services(self) -> Dict[str, Any]:
        """Nothing: linked services belong to Azure."""
        return {}

    @property
    def private_endpoints(self) -> Dict[str, Any]:
        """Nothing: private endpoints belong to Azure."""
        return {}

    def get_run(self, run_id: str) -> Run:
        """Return the run of this id, as the class that fits its type.

        Raises:
            ServiceException: The workspace has no such run; its `status_code` is 404.
        """
        from azureml.core.run import Run

        return Run.get(self, run_id)

    def get_default_datastore(self) -> Any:
        """Return the default datastore."""
        from azureml.core.datastore import Datastore

        return Datastore.get_default(self)

    def set_default_datastore(self, name: str) -> None:
        """Make the datastore of this name the default one.

        Raises:
            UserErrorException: There is no such datastore.
        """
        from azureml.exceptions import UserErrorException

        with v1_errors(not_found=UserErrorException):
            self._client.set_default_datastore(self._id, name)

    def get_default_compute_target(self, type: str) -> Any:
        """Return the target named `cpu-cluster` for 'CPU', `gpu-cluster` for 'GPU', or None where it does not exist.

        Raises:
            ValueError: `type` is neither.
        """
        names = {"CPU": self.DEFAULT_CPU_CLUSTER_NAME, "GPU": self.DEFAULT_GPU_CLUSTER_NAME}
        if type not in names:
            raise ValueError(f"There is no default compute target of type {type!r}: use 'CPU' or 'GPU'.")
        return self.compute_targets.get(names[type])

    def get_default_keyvault(self) -> Keyvault:
        """Return the workspace's key vault."""
        from azureml.core.keyvault import Keyvault

        return Keyvault(self)

    def get_mlflow_tracking_uri(self, _with_auth: bool = False) -> str:
        """Return the address for `mlflow.set_tracking_uri`, by which MLflow's clients on this machine log into this workspace.

        A token stands in it: who knows the address can read and change the workspace's runs. It ends after some weeks. In a step the
        address is that of its environment, and so is the token.
        """
        address = os.environ.get("MLFLOW_TRACKING_URI", "")
        if os.environ.get("AZUREML_WORKSPACE_ID") == self._id and address.endswith(f"/mlflow/{self._id}"):
            return address
        with v1_errors():
            address = str(self._client.get_mlflow_address(self._workspace_id))
        # At the end of a run MLflow prints its address, token and all, and there is no page to be seen there.
        os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
        return address

    # ---- changing and removing ----

    def update(
        self,
        friendly_name: Optional[str] = None,
        description: Optional[str] = None,
        tags: Optional[Dict[str, str]] = None,
        image_build_compute: Optional[str] = None,
        service_managed_resources_settings: Any = None,
        primary_user_assigned_identity: Optional[str] = None,
        allow_public_access_when_behind_vnet: Optional[bool] = None,
        v1_legacy_mode: Optional[bool] = None,
    ) -> Dict[str, Any]:
        """Change what is given and return the details."""
        details = {
            "friendly_name": friendly_name,
            "description": description,
            "image_build_compute": image_build_compute,
            "allow_public_access_when_behind_vnet": allow_public_access_when_behind_vnet,
        }
        changed = {**(self._load().get("details") or {}), **{key: value for key, value in details.items() if value is not None}}
        with v1_errors():
            self._cached = self._client.update_workspace(self._id, tags=tags, details=changed)
        return self.get_details()

    def delete(self, delete_dependent_resources: bool = False, no_wait: bool = False) -> None:
        """Remove the workspace with its experiments and runs."""
        with v1_errors():
            self._client.delete_workspace(self._id)

    def update_dependencies(self, container_registry: Optional[str] = None, force: bool = False) -> None:
        """Keep the name of another container registry."""
        details = {**(self._load().get("details") or {}), "container_registry": container_registry}
        with v1_errors():
            self._cached = self._client.update_workspace(self._id, details=details)

    def sync_keys(self, no_wait: bool = False) -> None:
        """Do nothing: a local workspace has no keys."""

    def list_keys(self) -> Any:
        """Refused: a local workspace has no keys."""
        raise _azure_only("list_keys")

    def diagnose_workspace(self, diagnose_parameters: Any) -> Any:
        """Refused: it checks resources that only Azure has."""
        raise _azure_only("diagnose_workspace")

    def add_private_endpoint(
        self,
        private_endpoint_config: Any,
        private_endpoint_auto_approval: bool = True,
        location: Optional[str] = None,
        show_output: bool = True,
        tags: Optional[Dict[str, str]] = None,
    ) -> Any:
        """Refused: private endpoints belong to Azure."""
        raise _azure_only("add_private_endpoint")

    def delete_private_endpoint_connection(self, private_endpoint_connection_name: str) -> Any:
        """Refused: private endpoints belong to Azure."""
        raise _azure_only("delete_private_endpoint_connection")

    def set_connection(self, name: str, category: str, target: str, authType: str, value: str) -> Any:  # noqa: N803  v1's name
        """Refused: connections belong to Azure."""
        raise _azure_only("set_connection")

    def get_connection(self, name: str) -> Any:
        """Refused: connections belong to Azure."""
        raise _azure_only("get_connection")

    def list_connections(self, category: Optional[str] = None, target: Optional[str] = None) -> Any:
        """Refused: connections belong to Azure."""
        raise _azure_only("list_connections")

    def delete_connection(self, name: str) -> Any:
        """Refused: connections belong to Azure."""
        raise _azure_only("delete_connection")


# Arguments of `create` that are kept with the workspace.
_KEPT = (
    "sku",
    "friendly_name",
    "storage_account",
    "key_vault",
    "app_insights",
    "container_registry",
    "hbi_workspace",
    "v1_legacy_mode",
)


def _azure_only(member: str) -> NotImplementedError:
    return not_built(f"Workspace.{member}", "It manages Azure resources, which a local workspace does not have: take the call out.")


def _connect() -> Any:
    from penstock.client import connect

    return connect()
