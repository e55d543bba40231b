"""HDInsightCompute: an HDInsight cluster; here a record."""

from __future__ import annotations

from typing import Any, NoReturn, Optional

from azureml.core._refusal import not_built
from azureml.core.compute._attachment import check_login, check_place
from azureml.core.compute.compute import ComputeTarget, ComputeTargetAttachConfiguration
from azureml.exceptions import ComputeTargetException


class HDInsightAttachConfiguration(ComputeTargetAttachConfiguration):
    """Names an HDInsight cluster: by address, by group and name, or by resource id. Passwords and keys are not kept."""

    _secrets = frozenset({"password", "private_key_passphrase"})

    def __init__(
        self,
        username: str,
        subscription_id: Optional[str] = None,
        resource_group: Optional[str] = None,
        cluster_name: Optional[str] = None,
        resource_id: Optional[str] = None,
        address: Optional[str] = None,
        ssh_port: str = "22",
        password: str = "",
        private_key_file: str = "",
        private_key_passphrase: str = "",
    ) -> None:
        super().__init__(HDInsightCompute)
        self.username = username
        self.subscription_id = subscription_id
        self.resource_group = resource_group
        self.cluster_name = cluster_name
        self.resource_id = resource_id
        self.address = address
        self.ssh_port = ssh_port
        self.password = password
        self.private_key_file = private_key_file
        self.private_key_passphrase = private_key_passphrase
        self.validate_configuration()

    def validate_configuration(self) -> None:
        """Do nothing when the values go together.

        Raises:
            ComputeTargetException: They do not; the message says which.
        """
        check_login(self.username, self.password, self.private_key_file)
        if not self.address:
            check_place(self.resource_id, "Microsoft.HDInsight", resource_group=self.resource_group, cluster_name=self.cluster_name)
        elif self.resource_id:
            raise ComputeTargetException("Give address or resource_id, not both.")


class HDInsightCompute(ComputeTarget):
    """An HDInsight cluster, as a record."""

    _compute_type = "HDInsight"
    _can_delete = False

    @staticmethod
    def attach_configuration(
        username: str,
        subscription_id: Optional[str] = None,
        resource_group: Optional[str] = None,
        cluster_name: Optional[str] = None,
        resource_id: Optional[str] = None,
        address: Optional[str] = None,
        ssh_port: str = "22",
        password: str = "",
        private_key_file: str = "",
        private_key_passphrase: str = "",
    ) -> HDInsightAttachConfiguration:
        """Return what such a target is attached from.

        Raises:
            ComputeTargetException: The values do not go together; the message says which.
        """
        return HDInsightAttachConfiguration(
            username,
            subscription_id,
            resource_group,
            cluster_name,
            resource_id,
            address,
            ssh_port,
            password,
            private_key_file,
            private_key_passphrase,
        )

    @staticmethod
    def attach(  # type: ignore[override]  # v1's older signature
        workspace: Any,
        name: str,
        username: str,
        address: str,
        ssh_port: str = "22",
        password: str = "",
        private_key_file: str = "",
        private_key_passphrase: str = "",
    ) -> Any:
        """Record a target by its address and return it."""
        configuration = HDInsightAttachConfiguration(
            username,
            address=address,
            ssh_port=ssh_port,
            password=password,
            private_key_file=private_key_file,
            private_key_passphrase=private_key_passphrase,
        )
        return ComputeTarget.attach(workspace, name, configuration)

    def get_credentials(self) -> NoReturn:
        """Refuse: passwords and keys are not kept."""
        raise not_built("HDInsightCompute.get_credentials", "Passwords and keys are not kept; take them from where the script got them.")
