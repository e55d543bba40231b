"""Dashboards on fairness. Not part of this version: the names import and refuse to work."""

from azureml.core._refusal import refuse_call

_INSTEAD = "Keep what you computed with the run: run.upload_file(name, path), or run.log_table(name, values)."

download_dashboard_by_upload_id = refuse_call("azureml.contrib.fairness.download_dashboard_by_upload_id", _INSTEAD)
upload_dashboard_dictionary = refuse_call("azureml.contrib.fairness.upload_dashboard_dictionary", _INSTEAD)

__all__ = ["download_dashboard_by_upload_id", "upload_dashboard_dictionary"]
