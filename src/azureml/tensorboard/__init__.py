"""TensorBoard on runs. Not part of this version: the names import and refuse to work."""

from azureml.core._refusal import refuse_class

_INSTEAD = "Start tensorboard itself on the folder that run.download_files(prefix='logs', output_directory=...) fills."

Tensorboard = refuse_class("azureml.tensorboard.Tensorboard", _INSTEAD)

__all__ = ["Tensorboard"]
