"""A dataset output as a section of a run configuration."""

from __future__ import annotations

from typing import Any, Optional

from azureml.core._run_config_sections import (
    DataLocation,
    DataPath,
    GlobsOptions,
    MountOptions,
    OutputData,
    OutputOptions,
    RegistrationOptions,
    UploadOptions,
)


def to_section(config: Any) -> OutputData:
    """Return the section that describes an OutputDatasetConfig."""
    destination = config._destination()
    place: Optional[DataLocation] = None
    if destination is not None:
        store = destination.datastore
        name = store if store is None or isinstance(store, str) else store.name
        place = DataLocation(data_path=DataPath(datastore_name=name, relative_path=destination.template))
    options = OutputOptions(
        path_on_compute=config._path_on_compute(),
        registration_options=_registration(config._registration),
        upload_options=_upload(config),
        mount_options=MountOptions(config._mount_options.disable_metadata_cache) if config._mount_options is not None else None,
    )
    return OutputData(output_location=place, mechanism=config.mode, additional_options=options)


def _registration(registration: Any) -> Optional[RegistrationOptions]:
    if registration is None:
        return None
    return RegistrationOptions(name=registration.name, description=registration.description, tags=registration.tags)


def _upload(config: Any) -> Optional[UploadOptions]:
    if config._upload_options is None:
        return None
    globs = config._source_globs()
    return UploadOptions(bool(config._upload_options.overwrite), GlobsOptions(list(globs)) if globs else None)
