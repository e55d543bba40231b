"""AdlaCompute: a Data Lake Analytics account; here a record."""

from __future__ import annotations

from typing import Any, Optional

from azureml.core.compute._attachment import check_place
from azureml.core.compute.compute import ComputeTarget, ComputeTargetAttachConfiguration


class DataLakeAnalyticsAttachConfiguration(ComputeTargetAttachConfiguration):
    """Names a Data Lake Analytics account: by group and name, or by resource id."""

    def __init__(self, resource_group: Optional[str] = None, account_name: Optional[str] = None, resource_id: Optional[str] = None) -> None:
        super().__init__(AdlaCompute)
        self.resource_group = resource_group
        self.account_name = account_name
        self.resource_id = resource_id
        self.validate_configuration()

    def validate_configuration(self) -> None:
        """Do nothing when the values go together.

        Raises:
            ComputeTargetException: They do not; the message says which.
        """
        check_place(self.resource_id, "Microsoft.DataLakeAnalytics", resource_group=self.resource_group, account_name=self.account_name)


class AdlaCompute(ComputeTarget):
    """A Data Lake Analytics account, as a record."""

    _compute_type = "DataLakeAnalytics"

    @staticmethod
    def attach_configuration(
        resource_group: Optional[str] = None, account_name: Optional[str] = None, resource_id: Optional[str] = None
    ) -> DataLakeAnalyticsAttachConfiguration:
        """Return what such a target is attached from.

        Raises:
            ComputeTargetException: The values do not go together; the message says which.
        """
        return DataLakeAnalyticsAttachConfiguration(resource_group, account_name, resource_id)

    @staticmethod
    def attach(workspace: Any, name: str, resource_id: str) -> Any:  # type: ignore[override]  # v1's older signature
        """Record a target by its resource id and return it."""
        return ComputeTarget.attach(workspace, name, DataLakeAnalyticsAttachConfiguration(resource_id=resource_id))
