"""Turns the service's errors about what is published into the exception that v1's pipeline service raised."""

from __future__ import annotations

from typing import Any

from penstock.model.errors import PenstockError

_OUR_FAULT = 500


class pipeline_errors:  # noqa: N801  read as a verb at the place of use
    """Translates penstock's errors in a `with` block to ErrorResponseException; message, status and details stay as they are."""

    def __enter__(self) -> pipeline_errors:
        return self

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        if isinstance(error, PenstockError):
            from azureml.pipeline.core._restclients.aeva.models.error_response import ErrorResponseException

            raise ErrorResponseException(error) from (error if error.status >= _OUR_FAULT else None)
