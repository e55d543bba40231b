"""Mounting of datasets in a `with` block. Not part of this version: the names import and refuse to work."""

from azureml.core._refusal import refuse_class

_INSTEAD = "Datasets come in a later release. Read the files through a DataReference: datastore.path('folder').as_mount()."

DatasetContextManager = refuse_class("azureml.data.context_managers.DatasetContextManager", _INSTEAD)
DatastoreContextManager = refuse_class("azureml.data.context_managers.DatastoreContextManager", _INSTEAD)
