"""DataFactoryCompute: a data factory; here a record."""

from __future__ import annotations

from typing import Any, Optional

from azureml.core.compute._attachment import check_place
from azureml.core.compute.compute import ComputeTarget, ComputeTargetAttachConfiguration, ComputeTargetProvisioningConfiguration


class DataFactoryAttachConfiguration(ComputeTargetAttachConfiguration):
    """Names a data factory: by group and name, or by resource id."""

    def __init__(self, resource_group: Optional[str] = None, factory_name: Optional[str] = None, resource_id: Optional[str] = None) -> None:
        super().__init__(DataFactoryCompute)
        self.resource_group = resource_group
        self.factory_name = factory_name
        self.resource_id = resource_id
        self.validate_configuration()

    def validate_configuration(self) -> None:
        """Do nothing when the values go together.

        Raises:
            ComputeTargetException: They do not; the message says which.
        """
        check_place(self.resource_id, "Microsoft.DataFactory", resource_group=self.resource_group, factory_name=self.factory_name)


class DataFactoryProvisioningConfiguration(ComputeTargetProvisioningConfiguration):
    """What a data factory is made from."""

    def __init__(self, location: Optional[str]) -> None:
        super().__init__(DataFactoryCompute, location)

    def validate_configuration(self) -> None:
        """Do nothing: any location will do."""


class DataFactoryCompute(ComputeTarget):
    """A data factory, as a record."""

    _compute_type = "DataFactory"

    @staticmethod
    def attach_configuration(
        resource_group: Optional[str] = None, factory_name: Optional[str] = None, resource_id: Optional[str] = None
    ) -> DataFactoryAttachConfiguration:
        """Return what such a target is attached from.

        Raises:
            ComputeTargetException: The values do not go together; the message says which.
        """
        return DataFactoryAttachConfiguration(resource_group, factory_name, resource_id)

    @staticmethod
    def attach(workspace: Any, name: str, resource_id: str) -> Any:  # type: ignore[override]  # v1's older signature
        """Record a target by its resource id and return it."""
        return ComputeTarget.attach(workspace, name, DataFactoryAttachConfiguration(resource_id=resource_id))

    @staticmethod
    def provisioning_configuration(location: Optional[str] = None) -> DataFactoryProvisioningConfiguration:
        """Return what a data factory is made from."""
        return DataFactoryProvisioningConfiguration(location)
