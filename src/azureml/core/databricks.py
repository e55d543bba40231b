"""Databricks settings of an environment: libraries and clusters, kept as records."""

from __future__ import annotations

from typing import Dict, List, Optional

from azureml.core._section import Section
from azureml.exceptions import UserErrorException


class MavenLibrary(Section):
    """A Maven package."""

    _fields = {"coordinates": None, "repo": None, "exclusions": None}

    def __init__(self, coordinates: Optional[str] = None, repo: Optional[str] = None, exclusions: Optional[List[str]] = None) -> None:
        self.coordinates = coordinates
        self.repo = repo
        self.exclusions = exclusions if exclusions is not None else []


class PyPiLibrary(Section):
    """A package for Python."""

    _fields = {"package": None, "repo": None}

    def __init__(self, package: Optional[str] = None, repo: Optional[str] = None) -> None:
        self.package = package
        self.repo = repo


class RCranLibrary(Section):
    """A package for R."""

    _fields = {"package": None, "repo": None}

    def __init__(self, package: Optional[str] = None, repo: Optional[str] = None) -> None:
        self.package = package
        self.repo = repo


class JarLibrary(Section):
    """A JAR by its address."""

    _fields = {"library": None}

    def __init__(self, library: Optional[str] = None) -> None:
        self.library = library


class EggLibrary(Section):
    """An egg by its address."""

    _fields = {"library": None}

    def __init__(self, library: Optional[str] = None) -> None:
        self.library = library


class DatabricksCluster(Section):
    """A cluster that exists, or one to be made. `validate` tells whether the values go together."""

    _fields = {
        "existing_cluster_id": None,
        "spark_version": None,
        "node_type": None,
        "instance_pool_id": None,
        "num_workers": None,
        "min_workers": None,
        "max_workers": None,
        "spark_env_variables": None,
        "spark_conf": None,
        "init_scripts": None,
        "cluster_log_dbfs_path": None,
        "permit_cluster_restart": None,
    }

    def __init__(
        self,
        existing_cluster_id: Optional[str] = None,
        spark_version: Optional[str] = None,
        node_type: Optional[str] = None,
        instance_pool_id: Optional[str] = None,
        num_workers: Optional[int] = None,
        min_workers: Optional[int] = None,
        max_workers: Optional[int] = None,
        spark_env_variables: Optional[Dict[str, str]] = None,
        spark_conf: Optional[Dict[str, str]] = None,
        init_scripts: Optional[List[str]] = None,
        cluster_log_dbfs_path: Optional[str] = None,
        permit_cluster_restart: Optional[bool] = None,
    ) -> None:
        self.existing_cluster_id = existing_cluster_id
        self.spark_version = spark_version
        self.node_type = node_type
        self.instance_pool_id = instance_pool_id
        self.num_workers = num_workers
        self.min_workers = min_workers
        self.max_workers = max_workers
        self.spark_env_variables = spark_env_variables
        self.spark_conf = spark_conf
        self.init_scripts = init_scripts
        self.cluster_log_dbfs_path = cluster_log_dbfs_path
        self.permit_cluster_restart = permit_cluster_restart

    def validate(self) -> None:
        """Do nothing when the values go together.

        Raises:
            UserErrorException: They do not; the message says which.
        """
        if self.existing_cluster_id is not None:
            self._validate_existing()
        else:
            self._validate_new()

    def _validate_existing(self) -> None:
        only_new = set(self._fields) - {"existing_cluster_id", "permit_cluster_restart", "cluster_log_dbfs_path"}
        given = sorted(name for name in only_new if vars(self)[name] is not None)
        if given:
            raise UserErrorException(f"existing_cluster_id names a cluster that is there; leave out {', '.join(given)}.")

    def _validate_new(self) -> None:
        if self.permit_cluster_restart is not None:
            raise UserErrorException("permit_cluster_restart needs existing_cluster_id.")
        if self.node_type is not None and self.instance_pool_id is not None:
            raise UserErrorException("Give node_type or instance_pool_id, not both.")
        scaled = self.min_workers is not None or self.max_workers is not None
        if (self.num_workers is not None) == scaled:
            raise UserErrorException("A new cluster needs num_workers, or min_workers and max_workers, not both kinds.")
        if scaled and (self.min_workers is None or self.max_workers is None):
            raise UserErrorException("A cluster that scales needs both min_workers and max_workers.")


class DatabricksSection(Section):
    """The libraries that an environment asks of Databricks, and the cluster."""

    _fields = {
        "maven_libraries": [MavenLibrary],
        "pypi_libraries": [PyPiLibrary],
        "rcran_libraries": [RCranLibrary],
        "jar_libraries": [JarLibrary],
        "egg_libraries": [EggLibrary],
        "_cluster": DatabricksCluster,
    }

    def __init__(self, _skip_defaults: bool = False) -> None:
        self.maven_libraries: List[MavenLibrary] = []
        self.pypi_libraries: List[PyPiLibrary] = []
        self.rcran_libraries: List[RCranLibrary] = []
        self.jar_libraries: List[JarLibrary] = []
        self.egg_libraries: List[EggLibrary] = []
        self._cluster: Optional[DatabricksCluster] = None

    @property
    def cluster(self) -> Optional[DatabricksCluster]:
        """The cluster, or None."""
        return self._cluster

    @cluster.setter
    def cluster(self, cluster: Optional[DatabricksCluster]) -> None:
        if cluster is not None and not isinstance(cluster, DatabricksCluster):
            raise UserErrorException(f"cluster must be a DatabricksCluster, not {type(cluster).__name__}.")
        self._cluster = cluster


class DatabricksEnvironment(DatabricksSection):
    """v1's old name of DatabricksSection."""

    def __init__(self) -> None:
        super().__init__()
