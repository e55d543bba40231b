"""BatchCompute: a Batch account; here a record."""

from __future__ import annotations

from typing import Optional

from azureml.core.compute._attachment import check_place
from azureml.core.compute.compute import ComputeTarget, ComputeTargetAttachConfiguration


class BatchAttachConfiguration(ComputeTargetAttachConfiguration):
    """Names a Batch account: by group and name, or by resource id."""

    def __init__(self, resource_group: Optional[str] = None, account_name: Optional[str] = None, resource_id: Optional[str] = None) -> None:
        super().__init__(BatchCompute)
        self.resource_group = resource_group
        self.account_name = account_name
        self.resource_id = resource_id
        self.validate_configuration()

    def validate_configuration(self) -> None:
        """Do nothing when the values go together.

        Raises:
            ComputeTargetException: They do not; the message says which.
        """
        check_place(self.resource_id, "Microsoft.Batch", resource_group=self.resource_group, account_name=self.account_name)


class BatchCompute(ComputeTarget):
    """A Batch account, as a record."""

    _compute_type = "Batch"
    _can_delete = False

    @staticmethod
    def attach_configuration(
        resource_group: Optional[str] = None, account_name: Optional[str] = None, resource_id: Optional[str] = None
    ) -> BatchAttachConfiguration:
        """Return what such a target is attached from.

        Raises:
            ComputeTargetException: The values do not go together; the message says which.
        """
        return BatchAttachConfiguration(resource_group, account_name, resource_id)
