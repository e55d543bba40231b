"""A run told in full, and waiting for its end with its log on the screen."""

from __future__ import annotations

import codecs
import json
import re
from typing import Any, Dict, List, Optional

from azureml.core._follow import follow
from azureml.core._run_files import RunFiles
from penstock.model.run_types import PIPELINE_RUN
from penstock.model.status import is_final

_DRIVER_LOG = re.compile(r"user_logs/std_log.*\.txt|azureml-logs/\d\d.+\.txt")
_NO_REASON = "The run failed without saying why. Its logs may tell more: look into get_all_logs()."
# While a log is on the screen: how often to look for new lines.
_STREAM_SECONDS = 0.5
_new_decoder = codecs.getincrementaldecoder("utf-8")


class RunDetails(RunFiles):
    """The part of a run that describes it and waits for it."""

    def get_details(self) -> Dict[str, Any]:
        """Return all facts about the run under v1's names: runId, target, status, times, error, properties, logFiles and more."""
        from azureml.core._run_lineage import used_datasets

        record = self._refresh()
        inputs, outputs = used_datasets(self._experiment.workspace, record)
        details: Dict[str, Any] = {"runId": record["id"], "target": self._target(record), "status": record["status"]}
        details.update({"startTimeUtc": record.get("started_at"), "endTimeUtc": record.get("ended_at"), "services": {}})
        details.update({"error": error_details(record), "warnings": _warnings(record), "properties": self.properties})
        details.update({"inputDatasets": inputs, "outputDatasets": outputs, "runDefinition": record.get("run_definition")})
        present = {key: value for key, value in details.items() if value is not None}
        return {**present, "logFiles": self._log_urls(), "submittedBy": record.get("created_by")}

    def _target(self, record: Dict[str, Any]) -> Optional[str]:
        if record.get("type") == PIPELINE_RUN:
            return None
        if record.get("type") is None:  # no script was submitted: the process is the script
            return "sdk"
        return record.get("target") or "sdk"

    def get_details_with_logs(self) -> Dict[str, Any]:
        """Return the details with the text of each log in place of its address."""
        details = self.get_details()
        details["logFiles"] = {name: self._read_text(name) for name in details["logFiles"]}
        return details

    def wait_for_completion(self, show_output: bool = False, wait_post_processing: bool = False, raise_on_error: bool = True) -> Any:
        """Wait until the run has ended and return its details.

        Args:
            show_output: Print the log while it grows.
            wait_post_processing: Accepted; the wait always lasts until outputs are stored.
            raise_on_error: Raise when the run failed.

        Raises:
            ActivityFailedException: The run failed, and `raise_on_error` is true.
            ExperimentExecutionException: The user interrupted the wait. The run goes on.
        """
        if show_output:
            self._print_head()
            screen = LogScreen(self)
            self._record = follow(self._client, self.id, wait_seconds=_STREAM_SECONDS, on_round=screen.show_news)
        else:
            self._record = follow(self._client, self.id)
        details = self.get_details()
        if show_output:
            self._print_summary(details, raise_on_error)
        if details["status"] == "Failed" and raise_on_error:
            raise_failed(details)
        return details

    def _print_head(self) -> None:
        print(f"RunId: {self.id}")
        print(f"Web View: {self.get_portal_url()}")

    def _print_summary(self, details: Dict[str, Any], raise_on_error: bool) -> None:
        print("\nExecution Summary")
        print("=================")
        self._print_head()
        if details.get("warnings"):
            print("\nWarnings:")
            for warning in details["warnings"]:
                print(warning["message"])
        if details.get("error") and not raise_on_error:
            print(f"\nError:\n{json.dumps(details['error'], indent=4)}")
        print(flush=True)


class LogScreen:
    """Prints what is new in the newest log of a run."""

    def __init__(self, run: RunFiles) -> None:
        self._run = run
        self._start_log(None)

    def _start_log(self, name: Optional[str]) -> None:
        self._name, self._offset = name, 0
        # A piece of a log may end in the middle of a letter.
        self._decoder = _new_decoder(errors="replace")

    def show_news(self, record: Dict[str, Any]) -> None:
        """Print what was added since the last call."""
        newest = self._newest()
        if newest is None:
            return
        if newest != self._name:
            if self._name is not None:
                self._show_rest(self._name, True)  # a log that another one follows has come to its end
            self._start_log(newest)
            print(f"\nStreaming {newest}\n{'=' * (len(newest) + 10)}\n")
        self._show_rest(newest, is_final(record["status"]))

    def _show_rest(self, name: str, is_over: bool) -> None:
        content: bytes = self._run._client.read_file(self._run.id, name, offset=self._offset)
        self._offset += len(content)
        text = self._decoder.decode(content, final=is_over)
        if text:
            print(text, end="", flush=True)

    def _newest(self) -> Optional[str]:
        names = [name for name in self._run.get_file_names() if _DRIVER_LOG.fullmatch(name)]
        return max(names) if names else None


def error_details(record: Dict[str, Any]) -> Optional[Dict[str, Any]]:
    """Return the error of a run's record in v1's nesting, or None."""
    error = record.get("error")
    if not error:
        return None
    shown: Dict[str, Any] = {
        "code": error.get("code") or "UserError",
        "message": error.get("message") or _NO_REASON,
        "messageParameters": {},
        "details": [],
    }
    if error.get("details"):
        shown["additionalInfo"] = error["details"]
    return {"error": shown, "time": record.get("ended_at")}


def raise_failed(details: Dict[str, Any]) -> None:
    """Raise ActivityFailedException with the error that a run's details carry."""
    from azureml.exceptions import ActivityFailedException

    error = details.get("error")
    raise ActivityFailedException(error_details=json.dumps(error, indent=4) if error else _NO_REASON)


def _warnings(record: Dict[str, Any]) -> Optional[List[Dict[str, Any]]]:
    found = [item if isinstance(item, dict) else {"source": record["id"], "message": str(item)} for item in record.get("warnings") or ()]
    return found or None
