"""What file datasets and tabular datasets share: their definition, their registration, and how they become inputs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Dict, List, Mapping, Optional, Sequence, TypeVar, cast

from azureml.core._errors import v1_errors
from azureml.data._expressions import DatasetExpression, column
from azureml.data.dataset_factory import FileDatasetFactory, TabularDatasetFactory

if TYPE_CHECKING:
    from datetime import datetime

    from azureml.core.workspace import Workspace
    from azureml.data._registry import RegisteredDatasets, Registration
    from azureml.data.dataset_consumption_config import DatasetConsumptionConfig
    from penstock.model.datasets import Dataset as Definition

Self = TypeVar("Self", bound="AbstractDataset")


class AbstractDataset:
    """A definition of files or rows. It never changes: each transformation gives a new dataset, and nothing is read before it is needed.

    Datasets are made by `Dataset.File` and `Dataset.Tabular`, or come from `Dataset.get_by_name` and `Dataset.get_by_id`.
    """

    File = FileDatasetFactory

    Tabular = TabularDatasetFactory

    _definition: Definition
    _workspace: Optional[Workspace]
    _registration: Optional[Registration]

    def __init__(self) -> None:
        from azureml.exceptions import UserErrorException

        kind = type(self).__name__
        raise UserErrorException(
            f"A {kind} is not constructed: use Dataset.File.from_files or a method of Dataset.Tabular, or Dataset.get_by_name."
        )

    def _then(self: Self, definition: Definition) -> Self:
        """A dataset like this one with another definition: not registered, not saved."""
        return cast(Self, make(definition, self._workspace))

    def _with(self: Self, kind: str, **settings: Any) -> Self:
        """A dataset like this one with one more operation."""
        return self._then(self._definition.then(kind, **settings))

    # ---- finding ----

    @staticmethod
    def get_by_name(workspace: Workspace, name: str, version: Any = "latest", **kwargs: Any) -> Any:
        """Return a registered dataset.

        Args:
            workspace: The workspace.
            name: The name it was registered under.
            version: A whole number, or 'latest'.
            **kwargs: Accepted and ignored, as in v1.

        Raises:
            UserErrorException: There is no such dataset or version.
        """
        from azureml.data import _registry

        return _registry.get_by_name(workspace, name, version)

    @staticmethod
    def get_by_id(workspace: Workspace, id: str, **kwargs: Any) -> Any:
        """Return a saved dataset, registered or not.

        Args:
            workspace: The workspace.
            id: Its id, as `dataset.id` gives it and as a step gets it in direct mode.
            **kwargs: Accepted and ignored, as in v1.

        Raises:
            UserErrorException: There is no such dataset.
        """
        from azureml.data import _registry

        return _registry.get_by_id(workspace, id)

    @staticmethod
    def get_all(workspace: Workspace) -> RegisteredDatasets:
        """Return the registered datasets by name: a mapping that loads the latest version of each when it is asked for."""
        from azureml.data._registry import RegisteredDatasets

        return RegisteredDatasets(workspace)

    # ---- what it is ----

    @property
    def id(self) -> Optional[str]:
        """The id of the saved definition; None until it is registered or passed to a run."""
        return self._registration.id if self._registration else None

    @property
    def name(self) -> Optional[str]:
        """The name it is registered under; None when it is not."""
        return self._registration.name if self._registration else None

    @property
    def version(self) -> Optional[int]:
        """The registered version; None when it is not registered."""
        return self._registration.version if self._registration else None

    @property
    def description(self) -> Optional[str]:
        """The registered version's description."""
        return self._registration.description if self._registration else None

    @property
    def tags(self) -> Optional[Dict[str, str]]:
        """The registered version's tags; None when it is not registered."""
        return dict(self._registration.tags) if self._registration and self._registration.tags is not None else None

    def __repr__(self) -> str:
        from azureml.data._shown import shown

        return shown(self)

    def __getitem__(self, name: str) -> DatasetExpression:
        """Return an expression for a column, for `filter`."""
        return column(name)

    __iter__ = None  # `__getitem__` alone would make Python try dataset[0], dataset[1], ...
    __contains__ = None

    # ---- saving and registering ----

    def _document(self) -> Dict[str, Any]:
        """The definition as the JSON document that travels to the service and to steps."""
        from penstock.model.datasets import format_dataset

        return format_dataset(self._definition)

    def _ensure_saved(self, workspace: Workspace) -> str:
        """Save the definition in a workspace unless that is done; return the dataset's id.

        Raises:
            UserErrorException: Its files are on datastores of another workspace.
        """
        from azureml.data._registry import Registration

        self._check_belongs_to(workspace)
        if self._registration is not None and self._is_in(workspace):
            return self._registration.id
        with v1_errors():
            record = workspace._client.save_dataset(workspace._id, self._document())
        if self._registration is None:
            self._workspace, self._registration = workspace, Registration(record["id"])
        return str(record["id"])

    def _is_in(self, workspace: Workspace) -> bool:
        own = self._workspace
        return own is not None and (own is workspace or own._id == workspace._id)

    def _check_belongs_to(self, workspace: Workspace) -> None:
        own = self._workspace
        if own is None or self._is_in(workspace) or not self._uses_datastores():
            return
        from azureml.exceptions import UserErrorException

        raise UserErrorException(
            f"This dataset's files are on datastores of the workspace '{own.name}', and it was given to '{workspace.name}'. "
            f"Make it with a datastore of '{workspace.name}'."
        )

    def _uses_datastores(self) -> bool:
        definition = self._definition
        while definition.written is not None:
            definition = definition.written.dataset
        return any(place.datastore is not None for place in definition.places)

    def register(
        self: Self,
        workspace: Workspace,
        name: str,
        description: Optional[str] = None,
        tags: Optional[Dict[str, str]] = None,
        create_new_version: bool = False,
    ) -> Self:
        """Give the dataset a name in a workspace and return the registered dataset. No data is copied.

        Args:
            workspace: The workspace.
            name: The name.
            description: What it is, for people.
            tags: Tags of the version.
            create_new_version: Add a version when the name is taken. A definition that is the latest version already keeps it.

        Raises:
            UserErrorException: The name is taken, and `create_new_version` is false.
        """
        from azureml.data import _registry
        from azureml.exceptions import UserErrorException

        self._check_belongs_to(workspace)
        with v1_errors(exists=UserErrorException, not_found=UserErrorException):
            record = workspace._client.register_dataset(
                workspace._id,
                self._document(),
                name,
                description=description,
                tags=_checked_tags(tags),
                create_new_version=bool(create_new_version),
            )
        dataset = cast(Self, make(self._definition, workspace, _registry.registration_of(record)))
        _registry.tell_lineage(workspace, "output", dataset)
        return dataset

    def update(self: Self, description: Optional[str] = None, tags: Optional[Dict[str, str]] = None) -> Self:
        """Change the registered version's description, and set tags, and return the dataset.

        Raises:
            UserErrorException: The dataset is not registered.
        """
        return self._change("update", description=description, tags=_checked_tags(tags))

    def add_tags(self: Self, tags: Optional[Dict[str, str]] = None) -> Self:
        """Add tags to the registered version and return the dataset.

        Raises:
            UserErrorException: The dataset is not registered, or has another value for one of the tags.
        """
        from azureml.exceptions import UserErrorException

        wanted, present = _checked_tags(tags) or {}, self.tags or {}
        for key, value in wanted.items():
            if present.get(key, value) != value:
                raise UserErrorException(
                    f"The dataset '{self.name}' has the tag '{key}' with the value '{present[key]}', not '{value}'. "
                    "Change it with update(tags=...), or remove it with remove_tags first."
                )
        return self._change("add_tags", tags=wanted)

    def remove_tags(self: Self, tags: Optional[List[str]] = None) -> Self:
        """Remove tags from the registered version by their names, and return the dataset.

        Raises:
            UserErrorException: The dataset is not registered.
        """
        return self._change("remove_tags", remove_tags=[str(tag) for tag in ([tags] if isinstance(tags, str) else tags or [])])

    def _change(self: Self, member: str, **changes: Any) -> Self:
        from azureml.data._registry import registration_of
        from azureml.exceptions import UserErrorException

        workspace = self._registered_in(member)
        with v1_errors(not_found=UserErrorException):
            record = workspace._client.update_dataset_version(workspace._id, self.name, self.version, **changes)
        self._registration = registration_of(record)
        return self

    def unregister_all_versions(self) -> None:
        """Take the dataset's name with all its versions out of the workspace. The data stays.

        Raises:
            UserErrorException: The dataset is not registered.
        """
        from azureml.exceptions import UserErrorException

        workspace = self._registered_in("unregister_all_versions")
        with v1_errors(not_found=UserErrorException):
            workspace._client.unregister_dataset(workspace._id, self.name)
        self._registration = None

    def _registered_in(self, member: str) -> Workspace:
        if self._workspace is not None and self.name is not None:
            return self._workspace
        from azureml.exceptions import UserErrorException

        raise UserErrorException(f"{member} needs a registered dataset: call register(workspace, name) and use what it returns.")

    # ---- as an input ----

    def as_named_input(self, name: str) -> DatasetConsumptionConfig:
        """Return the dataset as an input of that name; the step gets the dataset itself, or its files by `.as_mount()`.

        Args:
            name: Letters, digits and underscores.
        """
        from azureml.data.dataset_consumption_config import DatasetConsumptionConfig

        return DatasetConsumptionConfig(name, self)

    # ---- partitions and times ----

    @property
    def partition_keys(self) -> List[str]:
        """The columns that `partition_format` reads from the paths of the files, a date last."""
        from penstock.model.partitions import parse_partition_format

        definition = self._definition
        if definition.partition_format is None:
            return []
        found = parse_partition_format(definition.partition_format)
        ordered = sorted(found.columns, key=lambda name: name == found.date_column)
        return [name for name in ordered if self._keeps(name)]

    def _keeps(self, name: str) -> bool:
        """Whether a column is left after the choices of columns."""
        for operation in self._definition.operations:
            if operation.kind == "keep_columns" and name not in operation.settings["columns"]:
                return False
            if operation.kind == "drop_columns" and name in operation.settings["columns"]:
                return False
        return True

    def get_partition_key_values(self, partition_keys: Optional[Sequence[str]] = None) -> List[Dict[str, Any]]:
        """Return the different combinations of values that partition columns have.

        Args:
            partition_keys: Some of the partition columns; all when None.

        Raises:
            UserErrorException: One of them is no partition column.
        """
        from penstock.model.partitions import distinct_values

        keys = self._checked_keys(partition_keys)
        values = distinct_values(iter(self._partitions(keys)), tuple(keys))
        return [{key: _as_timestamp(value) for key, value in row.items()} for row in values]

    def _partitions(self, keys: List[str]) -> List[Mapping[str, Any]]:
        """The partition values of every file."""
        from azureml.data._reading import resolve

        return [file.get("partition") or {} for file in resolve(self._definition, self._workspace)["files"]]

    def _checked_keys(self, partition_keys: Optional[Sequence[str]]) -> List[str]:
        from azureml.exceptions import UserErrorException

        known = self.partition_keys
        if partition_keys is None:
            return known
        keys = [partition_keys] if isinstance(partition_keys, str) else list(partition_keys)
        unknown = [key for key in keys if key not in known]
        if unknown:
            there_are = f"There are: {', '.join(known)}." if known else "It was made without a partition_format."
            raise UserErrorException(f"The dataset has no partition column '{unknown[0]}'. {there_are}")
        return keys

    @property
    def data_changed_time(self) -> Optional[datetime]:
        """When the newest of the source files was changed; None where their store does not say.

        Raises:
            DatasetExecutionError: The files can't be found or reached.
        """
        from azureml.core._times import parse_time
        from azureml.data._reading import resolve

        times = [file["modified_at"] for file in resolve(self._source(), self._workspace)["files"] if file.get("modified_at")]
        changed: Optional[datetime] = max(map(parse_time, times)) if times else None
        return changed

    def _source(self) -> Definition:
        """The definition of the files behind the dataset."""
        definition = self._definition
        while definition.written is not None:
            definition = definition.written.dataset
        return definition


def make(definition: Definition, workspace: Optional[Workspace] = None, registration: Optional[Registration] = None) -> Any:
    """Return the dataset object for a definition.

    Args:
        definition: What it is made of.
        workspace: The workspace whose datastores hold its files; None for URLs and local paths.
        registration: How it is known there; None for a dataset that is not saved.
    """
    from penstock.model.datasets import FILE

    if definition.type == FILE:
        from azureml.data.file_dataset import FileDataset as Kind
    else:
        from azureml.data.tabular_dataset import TabularDataset as Kind  # type: ignore[assignment]
    dataset = Kind.__new__(Kind)
    dataset._definition = definition
    dataset._workspace = workspace
    dataset._registration = registration
    return dataset


def check_count(name: str, count: Any) -> int:
    """Return a number of items.

    Raises:
        ValueError: It is no whole number, or a negative one.
    """
    from operator import index

    try:
        number = -1 if isinstance(count, bool) else index(count)
    except TypeError:
        number = -1
    if number < 0:
        raise ValueError(f"{name} takes a whole number, 0 or more, not {count!r}.")
    return number


def check_share(name: str, share: Any) -> float:
    """Return a share of the items.

    Raises:
        ValueError: It is no number from 0 to 1.
    """
    try:
        number = -1.0 if isinstance(share, (bool, str)) else float(share)
    except (TypeError, ValueError):
        number = -1.0
    if not 0 <= number <= 1:
        raise ValueError(f"{name} is a number from 0 to 1, not {share!r}.")
    return number


def settled_seed(seed: Any) -> int:
    """Return the seed, or one drawn now: a dataset that was sampled gives the same items whenever it is read."""
    import os
    from operator import index

    if seed is None:
        return int.from_bytes(os.urandom(4), "big")
    try:
        return index(seed)
    except TypeError:
        raise ValueError(f"seed is a whole number, not {seed!r}.") from None


def _checked_tags(tags: Any) -> Optional[Dict[str, str]]:
    from azureml.exceptions import UserErrorException

    if tags is None:
        return None
    if not isinstance(tags, Mapping):
        raise UserErrorException(f"Tags are a dictionary of texts, not {tags!r}.")
    return {str(key): str(value) for key, value in tags.items()}


def _as_timestamp(value: Any) -> Any:
    """A partition's value for a script: a date as pandas has it, where pandas is there."""
    from datetime import datetime

    from penstock.model.partitions import plain_value

    plain = plain_value(value)
    if not isinstance(plain, datetime):
        return plain
    try:
        from pandas import Timestamp
    except ImportError:
        return plain
    return Timestamp(plain)
