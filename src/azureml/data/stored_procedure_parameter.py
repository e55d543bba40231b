"""Parameters of stored procedures, for data transfer steps."""

from __future__ import annotations

from enum import Enum
from typing import Any


class StoredProcedureParameterType(Enum):
    """One of v1's choices."""

    Boolean = "Boolean"
    Date = "Date"
    Decimal = "Decimal"
    Guid = "Guid"
    Int = "Int"
    String = "String"


class StoredProcedureParameter:
    """A parameter of a stored procedure: its name, value and type."""

    name: Any
    type: Any
    value: Any

    def __init__(self, name: Any, value: Any, type: Any = None) -> None:
        self.name = name
        self.value = value
        self.type = type
