"""How what is kept for others to use stands: published pipelines, endpoints, schedules, modules and their versions."""

from __future__ import annotations

ACTIVE, DEPRECATED, DISABLED = "Active", "Deprecated", "Disabled"  # to be used; better not; not until it is enabled
STATUSES = (ACTIVE, DEPRECATED, DISABLED)  # in the order of v1's codes
