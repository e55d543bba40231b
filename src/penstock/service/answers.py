"""What a route gives back: JSON, bytes as they are read, or an error as a page of the manual."""

from __future__ import annotations

import asyncio
import json
import logging
import traceback
from collections.abc import AsyncIterator
from concurrent.futures import Executor
from typing import Any

from starlette.responses import Response, StreamingResponse

from penstock.model.errors import PenstockError
from penstock.model.ids import new_id
from penstock.storage.files import OpenFile

_log = logging.getLogger(__name__)
_CHUNK = 256 * 1024


def json_answer(value: Any, status: int = 200) -> Response:
    """Return a JSON answer."""
    return Response(json.dumps(value, separators=(",", ":")), status, media_type="application/json")


def error_answer(error: Exception) -> Response:
    """Return the answer that tells of an error. One that nobody foresaw is logged, and the answer names its place in the log."""
    if isinstance(error, PenstockError):
        if error.status >= 500:
            _log.warning("request.failed code=%s message=%s", error.code, error.message)
        return json_answer(error.document(), error.status)
    name = new_id()[-12:]
    _log.error("request.broken error_id=%s\n%s", name, "".join(traceback.format_exception(error)))
    return json_answer(
        PenstockError(f"Something in the service went wrong; its log tells more under {name}.", error_id=name).document(), 500
    )


def file_answer(file: OpenFile, pool: Executor) -> Response:
    """Return a file's bytes as they are read."""
    headers = {"content-length": str(file.size)}
    return StreamingResponse(_read(file, pool), headers=headers, media_type="application/octet-stream")


async def _read(file: OpenFile, pool: Executor) -> AsyncIterator[bytes]:
    loop, left = asyncio.get_running_loop(), file.size
    try:
        while left:
            data = await loop.run_in_executor(pool, file.read, min(_CHUNK, left))
            if not data:
                return  # cut short meanwhile: the connection breaks, and the client sees that bytes are missing
            left -= len(data)
            yield data
    finally:
        file.close()
