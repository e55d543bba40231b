# ruff: noqa: S105  # the passwords here are made up
"""Authentication objects are made silently; those that hold a token, or a function that gives one, need no service."""

from __future__ import annotations

import pytest

from azureml.core import authentication as auth
from azureml.exceptions import AuthenticationException


def test_the_hook_of_a_subclass_feeds_the_header():
    class Own(auth.AbstractAuthentication):
        def _get_arm_token(self):
            return "mine"

    assert Own().get_authentication_header() == {"Authorization": "Bearer mine"}
    assert Own().get_token().token == "mine"
    with pytest.raises(NotImplementedError, match="_get_arm_token"):
        auth.AbstractAuthentication().get_authentication_header()


def test_held_tokens_can_be_replaced():
    arm = auth.ArmTokenAuthentication("one")
    arm.update_arm_access_token("two")
    assert arm.get_authentication_header() == {"Authorization": "Bearer two"}
    run = auth.AzureMLTokenAuthentication.create("one", None, "host", "s", "g", "w", "e", "r")
    run.set_token("two", 7)
    assert (run.token, run.expiry_time) == ("two", 7)
    assert run.get_authentication_header() == {"Authorization": "Bearer two"}


def test_tokens_from_a_function():
    asked = []
    made = auth.TokenAuthentication(lambda audience: asked.append(audience) or "t")
    assert made.get_token(auth.Audience.AZUREML) == "t"
    assert made.get_authentication_header() == {"Authorization": "Bearer t"}
    assert all(audience.startswith("https://") for audience in asked)
    with pytest.raises(AuthenticationException):
        auth.TokenAuthentication(lambda audience: None).get_token()
    with pytest.raises(AuthenticationException):
        auth.TokenAuthentication(None)


def test_signed_session_gets_the_header():
    class Session:
        headers = {}

    session = auth.ArmTokenAuthentication("one").signed_session(Session())
    assert session.headers == {"Authorization": "Bearer one"}
