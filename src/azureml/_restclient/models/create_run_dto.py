"""What the genuine client sent to make a run. Not part of this version: the names import and refuse to work."""

from azureml.core._refusal import refuse_class

_INSTEAD = "Use experiment.start_logging() or run.child_run()."

CreateRunDto = refuse_class("azureml._restclient.models.create_run_dto.CreateRunDto", _INSTEAD)

__all__ = ["CreateRunDto"]
