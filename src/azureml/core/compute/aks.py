"""AksCompute: a Kubernetes cluster for web services; here a record."""

from __future__ import annotations

from typing import Any, Dict, Mapping, NoReturn, Optional

from azureml.core._refusal import not_built
from azureml.core.compute._attachment import check_network, check_place
from azureml.core.compute.compute import (
    ComputeTarget,
    ComputeTargetAttachConfiguration,
    ComputeTargetProvisioningConfiguration,
    ComputeTargetUpdateConfiguration,
)
from azureml.exceptions import ComputeTargetException


class SslConfiguration:
    """The certificate of a cluster."""

    def __init__(
        self,
        status: Optional[str] = None,
        cert: Optional[str] = None,
        key: Optional[str] = None,
        cname: Optional[str] = None,
        leaf_domain_label: Optional[str] = None,
        overwrite_existing_domain: bool = False,
        renew: bool = False,
    ) -> None:
        self.status = status
        self.cert = cert
        self.key = key
        self.cname = cname
        self.leaf_domain_label = leaf_domain_label
        self.overwrite_existing_domain = overwrite_existing_domain
        self.renew = renew

    def serialize(self) -> Dict[str, Any]:
        """Return the JSON form, without the key."""
        return {
            "status": self.status,
            "cert": self.cert,
            "key": None,
            "cname": self.cname,
            "leafDomainLabel": self.leaf_domain_label,
            "overwriteExistingDomain": self.overwrite_existing_domain,
            "renew": self.renew,
        }

    @staticmethod
    def deserialize(object_dict: Optional[Mapping[str, Any]]) -> Optional[SslConfiguration]:
        """Return the object that a JSON form describes; None for None."""
        if object_dict is None:
            return None
        read = object_dict.get
        return SslConfiguration(
            status=read("status"),
            cert=read("cert"),
            key=read("key"),
            cname=read("cname"),
            leaf_domain_label=read("leafDomainLabel"),
            overwrite_existing_domain=bool(read("overwriteExistingDomain", False)),
            renew=bool(read("renew", False)),
        )


class SystemService:
    """A service that runs in a cluster."""

    def __init__(self, service_type: str, version: str, public_ip_address: str) -> None:
        self.service_type = service_type
        self.version = version
        self.public_ip_address = public_ip_address

    def serialize(self) -> Dict[str, Any]:
        """Return the JSON form."""
        return {"serviceType": self.service_type, "version": self.version, "publicIpAddress": self.public_ip_address}

    @staticmethod
    def deserialize(object_dict: Optional[Mapping[str, Any]]) -> Optional[SystemService]:
        """Return the object that a JSON form describes; None for None."""
        if object_dict is None:
            return None
        return SystemService(object_dict["serviceType"], object_dict["version"], object_dict["publicIpAddress"])


class _Certified:
    """What configurations with a certificate share."""

    ssl_cname: Optional[str] = None
    ssl_cert_pem_file: Optional[str] = None
    ssl_key_pem_file: Optional[str] = None
    leaf_domain_label: Optional[str] = None
    overwrite_existing_domain: bool = False

    def enable_ssl(
        self,
        ssl_cname: Optional[str] = None,
        ssl_cert_pem_file: Optional[str] = None,
        ssl_key_pem_file: Optional[str] = None,
        leaf_domain_label: Optional[str] = None,
        overwrite_existing_domain: bool = False,
    ) -> None:
        """Ask for a certificate: one's own by files, or one made for a leaf domain.

        Raises:
            ComputeTargetException: Both kinds, or files without a name.
        """
        self.ssl_cname = ssl_cname
        self.ssl_cert_pem_file = ssl_cert_pem_file
        self.ssl_key_pem_file = ssl_key_pem_file
        self.leaf_domain_label = leaf_domain_label
        self.overwrite_existing_domain = overwrite_existing_domain
        self._check_ssl()

    def _check_ssl(self) -> None:
        files = {"ssl_cname": self.ssl_cname, "ssl_cert_pem_file": self.ssl_cert_pem_file, "ssl_key_pem_file": self.ssl_key_pem_file}
        missing = [name for name, value in files.items() if not value]
        if self.leaf_domain_label and len(missing) < len(files):
            raise ComputeTargetException("Give leaf_domain_label, or a certificate of your own, not both.")
        if missing and len(missing) < len(files):
            raise ComputeTargetException(f"A certificate needs all of {', '.join(files)}; {', '.join(missing)} is missing.")


class AksProvisioningConfiguration(_Certified, ComputeTargetProvisioningConfiguration):
    """What a cluster is made from."""

    def __init__(
        self,
        agent_count: Optional[int],
        vm_size: Optional[str],
        ssl_cname: Optional[str],
        ssl_cert_pem_file: Optional[str],
        ssl_key_pem_file: Optional[str],
        location: Optional[str],
        vnet_resourcegroup_name: Optional[str],
        vnet_name: Optional[str],
        subnet_name: Optional[str],
        service_cidr: Optional[str],
        dns_service_ip: Optional[str],
        docker_bridge_cidr: Optional[str],
        cluster_purpose: Optional[str],
        load_balancer_type: Optional[str],
        load_balancer_subnet: Optional[str],
    ) -> None:
        super().__init__(AksCompute, location)
        self.agent_count = agent_count
        self.vm_size = vm_size
        self.ssl_cname = ssl_cname
        self.ssl_cert_pem_file = ssl_cert_pem_file
        self.ssl_key_pem_file = ssl_key_pem_file
        self.leaf_domain_label = None
        self.overwrite_existing_domain = False
        self.vnet_resourcegroup_name = vnet_resourcegroup_name
        self.vnet_name = vnet_name
        self.subnet_name = subnet_name
        self.service_cidr = service_cidr
        self.dns_service_ip = dns_service_ip
        self.docker_bridge_cidr = docker_bridge_cidr
        self.cluster_purpose = cluster_purpose
        self.load_balancer_type = load_balancer_type
        self.load_balancer_subnet = load_balancer_subnet
        self.validate_configuration()

    def validate_configuration(self) -> None:
        """Do nothing when the values go together.

        Raises:
            ComputeTargetException: They do not; the message says which.
        """
        if self.agent_count is not None and int(self.agent_count) <= 0:
            raise ComputeTargetException("agent_count must be positive.")
        check_network(self.vnet_resourcegroup_name, self.vnet_name, self.subnet_name)
        _check_purpose(self.cluster_purpose)
        self._check_ssl()


class AksAttachConfiguration(_Certified, ComputeTargetAttachConfiguration):
    """Names a cluster that exists."""

    def __init__(
        self,
        resource_group: Optional[str] = None,
        cluster_name: Optional[str] = None,
        resource_id: Optional[str] = None,
        cluster_purpose: Optional[str] = None,
        load_balancer_type: Optional[str] = None,
        load_balancer_subnet: Optional[str] = None,
    ) -> None:
        super().__init__(AksCompute)
        self.resource_group = resource_group
        self.cluster_name = cluster_name
        self.resource_id = resource_id
        self.cluster_purpose = cluster_purpose
        self.load_balancer_type = load_balancer_type
        self.load_balancer_subnet = load_balancer_subnet
        self.enable_ssl()
        self.validate_configuration()

    def validate_configuration(self) -> None:
        """Do nothing when the values go together.

        Raises:
            ComputeTargetException: They do not; the message says which.
        """
        place = {"resource_group": self.resource_group, "cluster_name": self.cluster_name}
        check_place(self.resource_id, "Microsoft.ContainerService", **place)
        _check_purpose(self.cluster_purpose)
        self._check_ssl()


class AksUpdateConfiguration(ComputeTargetUpdateConfiguration):
    """What a cluster is changed with."""

    def __init__(
        self,
        ssl_configuration: Optional[SslConfiguration] = None,
        load_balancer_type: Optional[str] = None,
        load_balancer_subnet: Optional[str] = None,
    ) -> None:
        super().__init__(AksCompute)
        self.ssl_configuration = ssl_configuration
        self.load_balancer_type = load_balancer_type
        self.load_balancer_subnet = load_balancer_subnet
        self.validate_configuration()

    def validate_configuration(self) -> None:
        """Do nothing when the values go together.

        Raises:
            ComputeTargetException: They do not; the message says which.
        """
        if self.ssl_configuration is not None and not isinstance(self.ssl_configuration, SslConfiguration):
            raise ComputeTargetException(f"ssl_configuration must be an SslConfiguration, not {type(self.ssl_configuration).__name__}.")

    def _definition(self) -> Dict[str, Any]:
        given = {name: value for name, value in super()._definition().items() if value is not None}
        if self.ssl_configuration is not None:
            given["ssl_configuration"] = self.ssl_configuration.serialize()
        return given


class AksCompute(ComputeTarget):
    """A Kubernetes cluster for web services, as a record."""

    _compute_type = "AKS"

    class ClusterPurpose:
        """What a cluster is for."""

        FAST_PROD = "FastProd"
        DENSE_PROD = "DenseProd"
        DEV_TEST = "DevTest"

    def _load_definition(self, definition: Mapping[str, Any]) -> None:
        self.agent_count: Optional[int] = definition.get("agent_count")
        self.agent_vm_size: Optional[str] = definition.get("vm_size")
        self.cluster_purpose: Optional[str] = definition.get("cluster_purpose")
        self.load_balancer_type: Optional[str] = definition.get("load_balancer_type")
        self.load_balancer_subnet: Optional[str] = definition.get("load_balancer_subnet")
        self.ssl_configuration = SslConfiguration.deserialize(definition.get("ssl_configuration"))

    @staticmethod
    def provisioning_configuration(
        agent_count: Optional[int] = None,
        vm_size: Optional[str] = None,
        ssl_cname: Optional[str] = None,
        ssl_cert_pem_file: Optional[str] = None,
        ssl_key_pem_file: Optional[str] = None,
        location: Optional[str] = None,
        vnet_resourcegroup_name: Optional[str] = None,
        vnet_name: Optional[str] = None,
        subnet_name: Optional[str] = None,
        service_cidr: Optional[str] = None,
        dns_service_ip: Optional[str] = None,
        docker_bridge_cidr: Optional[str] = None,
        cluster_purpose: Optional[str] = None,
        load_balancer_type: Optional[str] = None,
        load_balancer_subnet: Optional[str] = None,
    ) -> AksProvisioningConfiguration:
        """Return what a cluster is made from.

        Raises:
            ComputeTargetException: The values do not go together; the message says which.
        """
        return AksProvisioningConfiguration(
            agent_count,
            vm_size,
            ssl_cname,
            ssl_cert_pem_file,
            ssl_key_pem_file,
            location,
            vnet_resourcegroup_name,
            vnet_name,
            subnet_name,
            service_cidr,
            dns_service_ip,
            docker_bridge_cidr,
            cluster_purpose,
            load_balancer_type,
            load_balancer_subnet,
        )

    @staticmethod
    def attach_configuration(
        resource_group: Optional[str] = None,
        cluster_name: Optional[str] = None,
        resource_id: Optional[str] = None,
        cluster_purpose: Optional[str] = None,
        load_balancer_type: Optional[str] = None,
        load_balancer_subnet: Optional[str] = None,
    ) -> AksAttachConfiguration:
        """Return what a cluster is attached from.

        Raises:
            ComputeTargetException: The values do not go together; the message says which.
        """
        return AksAttachConfiguration(resource_group, cluster_name, resource_id, cluster_purpose, load_balancer_type, load_balancer_subnet)

    @staticmethod
    def attach(workspace: Any, name: str, resource_id: str) -> Any:  # type: ignore[override]  # v1's older signature
        """Record a cluster by its resource id and return it."""
        return ComputeTarget.attach(workspace, name, AksAttachConfiguration(resource_id=resource_id))

    def update(self, update_configuration: AksUpdateConfiguration) -> None:
        """Store changes of this cluster's settings.

        Raises:
            ComputeTargetException: It is no AksUpdateConfiguration.
        """
        if not isinstance(update_configuration, AksUpdateConfiguration):
            raise ComputeTargetException(f"update needs an AksUpdateConfiguration, not {type(update_configuration).__name__}.")
        self._change(**update_configuration._checked_definition())

    def get_credentials(self) -> NoReturn:
        """Refuse: there is no cluster behind the record."""
        raise not_built("AksCompute.get_credentials", "There is no cluster behind this record; web services come in a later release.")


def _check_purpose(purpose: Optional[str]) -> None:
    known = (AksCompute.ClusterPurpose.FAST_PROD, AksCompute.ClusterPurpose.DENSE_PROD, AksCompute.ClusterPurpose.DEV_TEST)
    if purpose is not None and purpose not in known:
        raise ComputeTargetException(f"cluster_purpose must be one of {', '.join(known)}, not '{purpose}'.")
