"""Schedules: not part of this version, so the names import and refuse to work."""

from __future__ import annotations

from azureml.core._refusal import refuse_class

_INSTEAD = "Let cron or another scheduler of this machine run the script that submits the pipeline."

Schedule = refuse_class("azureml.pipeline.core.schedule.Schedule", _INSTEAD)
ScheduleRecurrence = refuse_class("azureml.pipeline.core.schedule.ScheduleRecurrence", _INSTEAD)
TimeZone = refuse_class("azureml.pipeline.core.schedule.TimeZone", _INSTEAD)
