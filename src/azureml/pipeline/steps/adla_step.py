"""The step that runs a U-SQL script on Data Lake Analytics. It takes its place in a pipeline; nothing can run it any more."""

from __future__ import annotations

import logging
from typing import Any, Mapping, Optional, Sequence

from azureml.pipeline.steps._described_step import DescribedStep, need_kind, need_target, need_text

_LOGGER = logging.getLogger("penstock")


class AdlaStep(DescribedStep):
    """A step that runs a U-SQL script on Data Lake Analytics.

    It can be built, drawn and written to YAML. The service that ran it is closed: a pipeline that has one is refused when it is submitted
    or published.

    Args:
        script_name: The script, relative to `source_directory`.
        name: The step's name; None takes the script's.
        inputs: What it reads.
        outputs: What it writes.
        params: Values that take the place of @@name@@ in the script.
        degree_of_parallelism: How many units work at it.
        priority: Its priority; a lower number comes first.
        runtime_version: The version of the runtime.
        compute_target: An AdlaCompute, or its name.
        source_directory: The folder of the script; None means the pipeline's default, or the current folder.
        allow_reuse: Whether the result of an earlier run may be taken when nothing has changed.
        version: A text that forces a new definition when it changes.
        hash_paths: Deprecated, and without effect.

    Raises:
        ValueError: An argument is missing or of the wrong type.
    """

    _kind, _execution_type = "AdlaStep", "adlcloud"

    def __init__(
        self,
        script_name: str,
        name: Optional[str] = None,
        inputs: Optional[Sequence[Any]] = None,
        outputs: Optional[Sequence[Any]] = None,
        params: Optional[Mapping[str, Any]] = None,
        degree_of_parallelism: Any = None,
        priority: Any = None,
        runtime_version: Any = None,
        compute_target: Any = None,
        source_directory: Any = None,
        allow_reuse: bool = True,
        version: Optional[str] = None,
        hash_paths: Optional[Sequence[str]] = None,
    ) -> None:
        need_text("an AdlaStep", script_name=script_name)
        place = f"Step '{name or script_name}'"
        need_target(place, compute_target)
        need_kind(place, int, "a whole number", degree_of_parallelism=degree_of_parallelism, priority=priority)
        need_kind(place, str, "a text", name=name, runtime_version=runtime_version)
        if hash_paths:
            _LOGGER.warning("hash_paths of step '%s' is deprecated and has no effect: all of source_directory counts.", name or script_name)
        super().__init__(
            name or script_name,
            compute_target,
            {"degree_of_parallelism": degree_of_parallelism, "priority": priority, "runtime_version": runtime_version},
            inputs=inputs,
            outputs=outputs,
            params=params,
            script_name=script_name,
            source_directory=source_directory,
            takes_folder=True,
            allow_reuse=allow_reuse,
            version=version,
        )


__all__ = ["AdlaStep"]
