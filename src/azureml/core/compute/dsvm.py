"""DsvmCompute: a virtual machine made by v1; here a record."""

from __future__ import annotations

from typing import NoReturn, Optional

from azureml.core._refusal import not_built
from azureml.core.compute.compute import ComputeTarget, ComputeTargetProvisioningConfiguration


class DsvmProvisioningConfiguration(ComputeTargetProvisioningConfiguration):
    """What a virtual machine is made from."""

    def __init__(self, vm_size: Optional[str] = "", ssh_port: Optional[int] = None, location: Optional[str] = None) -> None:
        super().__init__(DsvmCompute, location)
        self.vm_size = vm_size
        self.ssh_port = ssh_port
        self.validate_configuration()

    def validate_configuration(self) -> None:
        """Do nothing: any size and port will do."""


class DsvmCompute(ComputeTarget):
    """A virtual machine made by v1, as a record."""

    _compute_type = "VirtualMachine"
    _can_detach = False

    @staticmethod
    def provisioning_configuration(
        vm_size: Optional[str] = None, ssh_port: Optional[int] = None, location: Optional[str] = None
    ) -> DsvmProvisioningConfiguration:
        """Return what a virtual machine is made from."""
        return DsvmProvisioningConfiguration(vm_size, ssh_port, location)

    def get_credentials(self) -> NoReturn:
        """Refuse: there is no machine behind the record."""
        raise not_built("DsvmCompute.get_credentials", "Steps for this target run on this machine, without a login.")
