"""When schedules are due: recurrences in the time zones of v1, as moments in UTC. Rules only; no rows, no clock."""
