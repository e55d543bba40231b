"""Sweeps over parameters. Not part of this version: the names import and refuse to work."""

from azureml.core._refusal import refuse_call, refuse_class

_INSTEAD = "Sweeps come in a later release. Give each set of parameters a PythonScriptStep of its own."

BanditPolicy = refuse_class("azureml.train.hyperdrive.BanditPolicy", _INSTEAD)
BayesianParameterSampling = refuse_class("azureml.train.hyperdrive.BayesianParameterSampling", _INSTEAD)
EarlyTerminationPolicy = refuse_class("azureml.train.hyperdrive.EarlyTerminationPolicy", _INSTEAD)
GridParameterSampling = refuse_class("azureml.train.hyperdrive.GridParameterSampling", _INSTEAD)
HyperDriveConfig = refuse_class("azureml.train.hyperdrive.HyperDriveConfig", _INSTEAD)
HyperDriveRun = refuse_class("azureml.train.hyperdrive.HyperDriveRun", _INSTEAD)
HyperDriveRunConfig = refuse_class("azureml.train.hyperdrive.HyperDriveRunConfig", _INSTEAD)
HyperParameterSampling = refuse_class("azureml.train.hyperdrive.HyperParameterSampling", _INSTEAD)
MedianStoppingPolicy = refuse_class("azureml.train.hyperdrive.MedianStoppingPolicy", _INSTEAD)
NoTerminationPolicy = refuse_class("azureml.train.hyperdrive.NoTerminationPolicy", _INSTEAD)
PrimaryMetricGoal = refuse_class("azureml.train.hyperdrive.PrimaryMetricGoal", _INSTEAD)
RandomParameterSampling = refuse_class("azureml.train.hyperdrive.RandomParameterSampling", _INSTEAD)
TruncationSelectionPolicy = refuse_class("azureml.train.hyperdrive.TruncationSelectionPolicy", _INSTEAD)

choice = refuse_call("azureml.train.hyperdrive.choice", _INSTEAD)
lognormal = refuse_call("azureml.train.hyperdrive.lognormal", _INSTEAD)
loguniform = refuse_call("azureml.train.hyperdrive.loguniform", _INSTEAD)
normal = refuse_call("azureml.train.hyperdrive.normal", _INSTEAD)
qlognormal = refuse_call("azureml.train.hyperdrive.qlognormal", _INSTEAD)
qloguniform = refuse_call("azureml.train.hyperdrive.qloguniform", _INSTEAD)
qnormal = refuse_call("azureml.train.hyperdrive.qnormal", _INSTEAD)
quniform = refuse_call("azureml.train.hyperdrive.quniform", _INSTEAD)
randint = refuse_call("azureml.train.hyperdrive.randint", _INSTEAD)
uniform = refuse_call("azureml.train.hyperdrive.uniform", _INSTEAD)
