"""v1's exceptions: their tree, their text, and what survives a copy."""

from __future__ import annotations

import copy
import json
import pickle

import pytest

import azureml.exceptions as exceptions
from azureml.core.authentication import AuthenticationException
from azureml.core.compute_target import ComputeTargetException
from azureml.exceptions._azureml_exception import ActivityCanceledException
from penstock.model.errors import NotFound


def error_document(error: Exception) -> dict:
    text = str(error)
    return json.loads(text[text.index("{") :])["error"]


def test_text_names_class_message_inner_exception_and_response():
    error = exceptions.UserErrorException("no such thing", inner_exception=KeyError("x"))
    lines = str(error).splitlines()
    assert lines[:3] == ["UserErrorException:", "\tMessage: no such thing", "\tInnerException 'x'"]
    assert lines[3].strip() == "ErrorResponse"
    assert lines[4:6] == ["{", '    "error": {']
    assert error_document(error) == {"code": "UserError", "message": "no such thing"}
    assert repr(error) == str(error)
    assert error.args == ("no such thing",)


def test_only_classes_that_define_a_code_show_one():
    assert "code" not in error_document(exceptions.ComputeTargetException("x"))
    assert error_document(exceptions.AuthenticationException("x"))["code"] == "UserError"


def test_compute_workspace_and_webservice_errors_are_no_user_errors():
    for kind in (exceptions.ComputeTargetException, exceptions.WorkspaceException, exceptions.WebserviceException):
        assert issubclass(kind, exceptions.AzureMLException)
        assert not issubclass(kind, exceptions.UserErrorException)


def test_names_imported_from_elsewhere_are_the_same_classes():
    assert ComputeTargetException is exceptions.ComputeTargetException
    assert AuthenticationException is exceptions.AuthenticationException


def test_message_and_inner_exception_can_be_set():
    error = exceptions.AzureMLException("before")
    error.message, error.inner_exception = "after", ValueError("why")
    assert "Message: after" in str(error)
    assert error.args == ("after",)
    assert str(error.inner_exception) == "why"


def test_failed_activity_shows_the_error_as_json():
    error = exceptions.ActivityFailedException({"error": {"code": "UserError"}})
    assert error.message == 'Activity Failed:\n{\n    "error": {\n        "code": "UserError"\n    }\n}'
    assert exceptions.ActivityFailedException("plain").message == "Activity Failed:\nplain"


def test_canceled_activity_is_there_but_not_exported():
    assert issubclass(ActivityCanceledException, exceptions.AzureMLException)
    assert not hasattr(exceptions, "ActivityCanceledException")


def test_run_environment_exception_has_its_own_message():
    with pytest.raises(TypeError):
        exceptions.RunEnvironmentException("text")
    assert "start_logging" in exceptions.RunEnvironmentException().message


def test_parallel_run_exception_accepts_known_codes_only():
    assert exceptions.ParallelRunException("x").code == 0
    assert exceptions.ParallelRunException("x", 3, 5).delay_seconds == 5
    with pytest.raises(AssertionError):
        exceptions.ParallelRunException("x", code=9)


def test_aggregated_exception_lists_all_messages():
    assert exceptions.AzureMLAggregatedException([exceptions.UserErrorException("a"), "b"]).message == "a\nb"


def test_extra_attributes():
    assert exceptions.WorkspaceException("x", found_multiple=True).found_multiple
    assert exceptions.WebserviceException("x", status_code=404).status_code == 404


@pytest.mark.parametrize("again", [copy.deepcopy, lambda error: pickle.loads(pickle.dumps(error))])  # noqa: S301
@pytest.mark.parametrize(
    "error",
    [
        exceptions.RunEnvironmentException(),
        exceptions.ActivityFailedException("x"),
        exceptions.WebserviceException("x", status_code=404),
        exceptions.ServiceException(NotFound("gone", name="x")),
    ],
)
def test_a_copy_reads_the_same(error, again):
    twin = again(error)
    assert type(twin) is type(error)
    assert str(twin) == str(error)


def test_service_exception_carries_the_answer():
    error = exceptions.ServiceException(NotFound("There is no run 'x'.", run_id="x"))
    assert not isinstance(error, exceptions.AzureMLException)
    assert (error.status_code, error.message, error.details) == (404, "There is no run 'x'.", {"run_id": "x"})
    assert error.response.status_code == 404
    assert json.loads(error.response.text)["error"]["code"] == "NotFound"
    assert isinstance(error.inner_exception, NotFound)
    lines = str(error).splitlines()
    assert lines[0] == "ServiceException:"
    assert lines[1] == "\tCode: 404"
    assert lines[2].startswith("\tMessage: ")
    assert "There is no run 'x'." in lines[2]


def test_print_stacktrace_shows_where_the_inner_exception_came_from(capsys):
    try:
        raise ValueError("inside")
    except ValueError as inner:
        exceptions.AzureMLException("outside", inner_exception=inner).print_stacktrace()
    assert "ValueError: inside" in capsys.readouterr().err


def test_with_error_takes_the_text_of_a_definition():
    class Definition:
        error_message, target = "from a definition", "thing"

    error = exceptions.UserErrorException._with_error(Definition())
    assert isinstance(error, exceptions.UserErrorException)
    assert error_document(error) == {"code": "UserError", "message": "from a definition", "target": "thing"}
