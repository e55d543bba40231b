"""The tree of exceptions below AzureMLException, and the text they show."""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Tuple, Type

_FACTS = ("target", "details", "message_format", "message_parameters", "reference_code")


class AzureMLException(Exception):
    """Base of v1's exceptions.

    Args:
        exception_message: What went wrong; `message` and `args[0]` afterwards.
        inner_exception: The exception that caused this one.
        target: The thing at fault.
        details: More errors or facts.
        message_format: The message with placeholders.
        message_parameters: What fills them.
        reference_code: A word that names the place in the code.
        **kwargs: Accepted and ignored, as in v1.
    """

    _error_code: Optional[str] = None

    def __init__(
        self,
        exception_message: Any,
        inner_exception: Optional[BaseException] = None,
        target: Any = None,
        details: Any = None,
        message_format: Optional[str] = None,
        message_parameters: Optional[Dict[str, Any]] = None,
        reference_code: Optional[str] = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(exception_message)
        self._message = exception_message
        self._inner_exception = inner_exception
        self._target = target
        self._details = details
        self._message_format = message_format
        self._message_parameters = message_parameters
        self._reference_code = reference_code

    @classmethod
    def _with_error(cls, azureml_error: Any, inner_exception: Optional[BaseException] = None, **kwargs: Any) -> AzureMLException:
        """Return the exception for an error definition: any object with `error_message` or `message`, or plain text."""
        text = getattr(azureml_error, "error_message", None) or getattr(azureml_error, "message", None) or str(azureml_error)
        facts = {name: getattr(azureml_error, name) for name in _FACTS if getattr(azureml_error, name, None) is not None}
        return cls(text, inner_exception=inner_exception, **{**facts, **kwargs})

    @property
    def message(self) -> Any:
        """What went wrong."""
        return self._message

    @message.setter
    def message(self, value: Any) -> None:
        self._message = value
        self.args = (value,)

    @property
    def inner_exception(self) -> Optional[BaseException]:
        """The exception that caused this one, or None."""
        return self._inner_exception

    @inner_exception.setter
    def inner_exception(self, value: Optional[BaseException]) -> None:
        self._inner_exception = value

    @property
    def _gist(self) -> str:
        """The message alone: what the error of a run says whose script this exception ended."""
        return str(self._message)

    def print_stacktrace(self) -> None:
        """Print the traceback of the inner exception, or of this one when there is none."""
        import traceback

        shown: BaseException = self._inner_exception or self
        traceback.print_exception(type(shown), shown, shown.__traceback__)

    def _error_document(self) -> Dict[str, Any]:
        error: Dict[str, Any] = {} if self._error_code is None else {"code": self._error_code}
        error["message"] = self._message
        facts = {name: getattr(self, "_" + name) for name in _FACTS}
        error.update((name, value) for name, value in facts.items() if value)
        return {"error": error}

    def __str__(self) -> str:
        return _layout(type(self).__name__, self._message, self._inner_exception, self._error_document())

    def __repr__(self) -> str:
        return str(self)

    def __reduce__(self) -> Tuple[Any, ...]:
        # The constructors of the tree differ, so a copy is rebuilt without calling them.
        return _rebuild, (type(self), self.args), self.__dict__


def _layout(name: str, message: Any, inner: Optional[BaseException], document: Dict[str, Any]) -> str:
    import json

    shown = json.dumps(document, indent=4, default=str)
    return f"{name}:\n\tMessage: {message}\n\tInnerException {inner}\n\tErrorResponse \n{shown}"


def _rebuild(kind: Type[BaseException], args: Tuple[Any, ...]) -> BaseException:
    return kind.__new__(kind, *args)


class AzureMLAggregatedException(AzureMLException):
    """Several errors at once; `message` lists them, one a line."""

    def __init__(self, exceptions_list: List[Any], **kwargs: Any) -> None:
        self.exceptions = list(exceptions_list)
        super().__init__("\n".join(str(getattr(item, "message", item)) for item in self.exceptions), **kwargs)


class UserErrorException(AzureMLException):
    """The script asked for something that can't be."""

    _error_code = "UserError"

    def __init__(self, exception_message: Any, **kwargs: Any) -> None:
        super().__init__(exception_message, **kwargs)


class AuthenticationException(UserErrorException):
    """A token is missing or was refused."""

    def __init__(self, exception_message: Any, **kwargs: Any) -> None:
        super().__init__(exception_message, **kwargs)


class ActivityFailedException(AzureMLException):
    """A run failed while the script waited for it.

    Args:
        error_details: The run's error, as text or as the dictionary of `get_details()["error"]`.
        **kwargs: As for AzureMLException.
    """

    def __init__(self, error_details: Any, **kwargs: Any) -> None:
        super().__init__(f"Activity Failed:\n{_as_text(error_details)}", **kwargs)
        self._error_details = error_details

    @property
    def _gist(self) -> str:
        """The message of the run that failed. A driver that is a run itself would else say it in a frame of frames."""
        import json

        try:
            told = json.loads(_as_text(self._error_details))
            return f"A run that it waited for failed: {told.get('error', told)['message']}"
        except (ValueError, TypeError, KeyError, AttributeError):
            return super()._gist


class ActivityCanceledException(AzureMLException):
    """A run was canceled while the script waited for it."""

    def __init__(self, error_details: Any = "", **kwargs: Any) -> None:
        super().__init__(f"Activity Canceled:\n{_as_text(error_details)}".rstrip(), **kwargs)


def _as_text(error_details: Any) -> str:
    if not isinstance(error_details, (dict, list)):
        return str(error_details)
    import json

    return json.dumps(error_details, indent=4, default=str)


class _Worded(AzureMLException):
    """An exception that only takes its message."""

    def __init__(self, exception_message: Any, **kwargs: Any) -> None:
        super().__init__(exception_message, **kwargs)


class ComputeTargetException(_Worded):
    """A compute target is missing, or can't be made as asked."""


class ExperimentExecutionException(_Worded):
    """A run can't be submitted."""


class ProjectSystemException(_Worded):
    """A workspace can't be reached."""


class RunConfigurationException(_Worded):
    """A run configuration is not valid."""


class SnapshotException(_Worded):
    """A source folder can't be taken as a snapshot."""


class TrainingException(_Worded):
    """An estimator can't be used as asked."""


class DiscoveryUrlNotFoundException(AzureMLException):
    """A service's address is not known."""

    def __init__(self, discovery_key: str, **kwargs: Any) -> None:
        super().__init__(f"No service address is known for '{discovery_key}'.", **kwargs)


class RunEnvironmentException(AzureMLException):
    """The script asked for its run, but does not run inside one."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            "This process is not part of a submitted run. Submit the script with Experiment.submit or as a pipeline step, "
            "or begin a run of your own with Experiment.start_logging.",
            **kwargs,
        )


class WorkspaceException(AzureMLException):
    """A workspace can't be made or found; `found_multiple` tells whether the name was ambiguous."""

    def __init__(self, exception_message: Any, found_multiple: bool = False, **kwargs: Any) -> None:
        super().__init__(exception_message, **kwargs)
        self.found_multiple = found_multiple


class WorkspacePrivateEndpointException(AzureMLException):
    """A private endpoint can't be made or found."""

    def __init__(self, exception_message: Any, found_multiple: bool = False, **kwargs: Any) -> None:
        super().__init__(exception_message, **kwargs)
        self.found_multiple = found_multiple


class WebserviceException(AzureMLException):
    """A web service or a model can't be used as asked; `status_code` is the HTTP status, when there was one."""

    def __init__(self, exception_message: Any, status_code: Optional[int] = None, logger: Any = None, **kwargs: Any) -> None:
        _log(logger, exception_message)
        super().__init__(exception_message, **kwargs)
        self.status_code = status_code


class ModelNotFoundException(AzureMLException):
    """There is no such model."""

    def __init__(self, exception_message: Any, logger: Any = None, **kwargs: Any) -> None:
        _log(logger, exception_message)
        super().__init__(exception_message, **kwargs)


class ModelPathNotFoundException(AzureMLException):
    """A model's file or folder is not where the script says."""

    def __init__(self, exception_message: Any, logger: Any = None, **kwargs: Any) -> None:
        _log(logger, exception_message)
        super().__init__(exception_message, **kwargs)


def _log(logger: Any, message: Any) -> None:
    if logger is not None:
        logger.error(message)


class DatasetTimestampMissingError(AzureMLException):
    """A dataset has no column that says when."""

    def __init__(self, error_details: Any, **kwargs: Any) -> None:
        super().__init__(f"The dataset has no timestamp column: {error_details}", **kwargs)


class Retry:
    """What the driver of a parallel run does after an error."""

    NoRetry = 0
    StopProcess = 1
    RestartProcess = 2
    Sleep = 3


class ParallelRunException(AzureMLException):
    """An error in a parallel run's entry script.

    Args:
        exception_message: What went wrong.
        code: One of Retry's values; None means NoRetry.
        delay_seconds: How long to sleep before the next try.
        **kwargs: As for AzureMLException.
    """

    def __init__(self, exception_message: Any, code: Optional[int] = None, delay_seconds: int = 0, **kwargs: Any) -> None:
        super().__init__(exception_message, **kwargs)
        known = (Retry.NoRetry, Retry.StopProcess, Retry.RestartProcess, Retry.Sleep)
        assert code is None or code in known, f"code must be one of Retry's values, not {code!r}"
        self.code = Retry.NoRetry if code is None else code
        self.delay_seconds = delay_seconds
