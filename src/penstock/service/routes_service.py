"""Routes of the service itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from penstock.service.requests import Call
from penstock.service.routes import Role, RouteTable

table = RouteTable()


@table.add("GET", "/service", Role.READER)
def service_info(call: Call) -> Callable[[], Any]:
    """Tell what answers here."""
    return call.service.info


@table.add("POST", "/service/stop", Role.OWNER)
async def stop_service(call: Call) -> dict[str, Any]:
    """Leave after this answer."""
    call.reject_others()
    call.service.bulletin.close()
    call.service.stop()
    return {}
