"""Estimators that bring a framework: its version becomes a requirement for pip."""

from __future__ import annotations

import re
from typing import Any, ClassVar, List, Optional, Tuple

from azureml.exceptions import TrainingException
from azureml.train.estimator import MMLBaseEstimator

_VERSION = re.compile(r"\d+(\.\d+)*((a|b|rc|\.post|\.dev)\d+)?")


class FrameworkEstimator(MMLBaseEstimator):
    """Base of the estimators of one framework.

    Args:
        source_directory: The folder that travels with the run.
        framework_version: The framework's version, such as '1.4': any that the package index has. When None, the one that is there, or
            else the newest.
        **kwargs: The arguments of an Estimator.

    Raises:
        TrainingException: The version is none; or as an Estimator.
    """

    FRAMEWORK_NAME: ClassVar[str] = ""
    DEFAULT_VERSION: ClassVar[str] = ""
    _SUPPORTED: ClassVar[Tuple[str, ...]] = ()
    _PACKAGE: ClassVar[str] = ""
    _COMPANIONS: ClassVar[Tuple[str, ...]] = ()
    # v1's own switches, which choose among its images and print hints.
    _WITHOUT_EFFECT = ("_enable_optimized_mode", "_disable_validation", "_show_lint_warnings", "_show_package_warnings")

    def __init__(self, source_directory: str, *, framework_version: Optional[str] = None, **kwargs: Any) -> None:
        if framework_version is not None and (not isinstance(framework_version, str) or not _VERSION.fullmatch(framework_version)):
            raise TrainingException(
                f"{self._name()}: framework_version must be a text such as '{self.DEFAULT_VERSION}', not {framework_version!r}."
            )
        self._framework_version = framework_version
        super().__init__(source_directory, **{name: value for name, value in kwargs.items() if name not in self._WITHOUT_EFFECT})

    @classmethod
    def get_supported_versions(cls) -> List[str]:
        """Return the versions that v1 had images for. Others that the package index has work too."""
        return list(cls._SUPPORTED)

    @property
    def framework_version(self) -> Optional[str]:
        """The version that was asked for, or None."""
        return self._framework_version

    def _requirements(self, use_gpu: bool) -> List[str]:
        return [f"{self._package(use_gpu)}{self._pin()}", *self._COMPANIONS]

    def _package(self, use_gpu: bool) -> str:
        return self._PACKAGE

    def _pin(self) -> str:
        """'1.4' means any 1.4.x, as v1's images had it; '1.4.1' means itself."""
        version = self._framework_version
        if version is None:
            return ""
        return f"=={version}.*" if re.fullmatch(r"\d+(\.\d+)?", version) else f"=={version}"
