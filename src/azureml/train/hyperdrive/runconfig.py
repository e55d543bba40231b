"""v1's module of this name."""

from azureml.train.hyperdrive import HyperDriveConfig, HyperDriveRunConfig

__all__ = ["HyperDriveConfig", "HyperDriveRunConfig"]
