"""Routes of the service itself."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from penstock.service.requests import Call
from penstock.service.routes import Role, RouteTable

table = RouteTable()


@table.add("GET", "/service", Role.READER, answer="Service")
def service_info(call: Call) -> Callable[[], Any]:
    """Tell what answers here."""
    return call.service.info


@table.add("GET", "/openapi.json", Role.READER, answer="Description")
def describe_interface(call: Call) -> Callable[[], Any]:
    """Describe this interface as OpenAPI 3.1."""
    return _description


@functools.cache
def _description() -> dict[str, Any]:
    from penstock.service import openapi  # late: a service that nobody asks for it starts the sooner
    from penstock.service.app import TABLES

    return openapi.describe(item for table in TABLES for item in table.declarations)


@table.add("POST", "/service/stop", Role.OWNER, answer="Nothing")
async def stop_service(call: Call) -> dict[str, Any]:
    """Leave after this answer."""
    call.reject_others()
    call.service.bulletin.close()
    call.service.stop()
    return {}
