"""v1's estimators of deep learning frameworks. Not part of this version: the names import and refuse to work."""

from azureml.core._refusal import refuse_class

_INSTEAD = "Estimators come in a later release. Use a PythonScriptStep with the same script and arguments."

Chainer = refuse_class("azureml.train.dnn.Chainer", _INSTEAD)
Gloo = refuse_class("azureml.train.dnn.Gloo", _INSTEAD)
Mpi = refuse_class("azureml.train.dnn.Mpi", _INSTEAD)
Nccl = refuse_class("azureml.train.dnn.Nccl", _INSTEAD)
ParameterServer = refuse_class("azureml.train.dnn.ParameterServer", _INSTEAD)
PyTorch = refuse_class("azureml.train.dnn.PyTorch", _INSTEAD)
TensorFlow = refuse_class("azureml.train.dnn.TensorFlow", _INSTEAD)

__all__ = ["Chainer", "Gloo", "Mpi", "Nccl", "ParameterServer", "PyTorch", "TensorFlow"]
