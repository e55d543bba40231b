"""v1's authentication objects. They are made silently: no browser, no prompt, no network.

The service on this machine knows its user by the home folder. So they all stand for that user, and scripts can make them, pass them as
`auth=`, and send their header to a published pipeline's endpoint: it holds the user's token, which the service gives when it is first
needed.
"""

from __future__ import annotations

from enum import Enum
from typing import Any, Callable, Dict, NamedTuple, Optional

from azureml.core._errors import v1_errors
from azureml.exceptions import AuthenticationException

__all__ = [
    "AbstractAuthentication",
    "ArmTokenAuthentication",
    "Audience",
    "AuthenticationException",
    "AzureCliAuthentication",
    "AzureMLTokenAuthentication",
    "InteractiveLoginAuthentication",
    "MsiAuthentication",
    "ServicePrincipalAuthentication",
    "TokenAuthentication",
]

_LIFETIME_SECONDS = 3600  # of a token that does not say it
_RENEWAL_SECONDS = 24 * 3600  # before a token ends, another is asked for: the header is used for a while


class Audience(Enum):
    """Whom a token is for."""

    ARM = "ARM"
    AZUREML = "AZUREML"


_AUDIENCE_URLS = {Audience.ARM: "https://management.azure.com/", Audience.AZUREML: "https://ml.azure.com"}


class AccessToken(NamedTuple):
    """A token and the second (since 1970) at which it expires."""

    token: str
    expires_on: int


_tokens: Dict[str, AccessToken] = {}


@v1_errors()
def _find_user_token() -> AccessToken:
    """Return the token of the home folder's user; the service is asked once in a process, and again before the token ends."""
    import os
    import time

    from penstock.client import connect

    client = connect()
    home = os.fspath(client.home.path)
    known = _tokens.get(home)
    if known is None or known.expires_on - _RENEWAL_SECONDS < time.time():
        known = _tokens[home] = AccessToken(**client.user_token())
    return known


class AbstractAuthentication:
    """Base of the authentication objects. A subclass of yours gives `_get_arm_token`.

    Args:
        cloud: Kept, and without effect.
    """

    def __init__(self, cloud: Optional[str] = None) -> None:
        self._cloud = cloud

    def get_authentication_header(self) -> Dict[str, str]:
        """Return the header to send: {"Authorization": "Bearer <token>"}."""
        return {"Authorization": f"Bearer {self._get_arm_token()}"}

    def get_token(self, *scopes: str, **kwargs: Any) -> Any:
        """Return the token with its expiry: a tuple with `token` and `expires_on`."""
        import time

        return AccessToken(self._get_arm_token(), int(time.time()) + _LIFETIME_SECONDS)

    def signed_session(self, session: Any = None) -> Any:
        """Return a `requests` session, the given or a new one, that sends the header."""
        if session is None:
            import requests  # type: ignore[import-untyped,unused-ignore]

            session = requests.Session()
        session.headers.update(self.get_authentication_header())
        return session

    def _get_arm_token(self) -> str:
        raise NotImplementedError(f"{type(self).__name__} must define _get_arm_token(), which returns the token to send.")


class _UserAuthentication(AbstractAuthentication):
    """Whatever v1 asked for, here it is the user whose home folder this is.

    Its methods raise `ServiceException` when the service can't be started.
    """

    def get_token(self, *scopes: str, **kwargs: Any) -> Any:
        """Return the user's token with its expiry: a tuple with `token` and `expires_on`."""
        return _find_user_token()

    def _get_arm_token(self) -> str:
        return _find_user_token().token


class InteractiveLoginAuthentication(_UserAuthentication):
    """v1's login through a browser; here nobody logs in.

    Args:
        force: Kept, and without effect.
        tenant_id: Kept.
        cloud: Kept.
    """

    def __init__(self, force: bool = False, tenant_id: Optional[str] = None, cloud: Optional[str] = None) -> None:
        super().__init__(cloud)
        self._force = force
        self._tenant_id = tenant_id


class AzureCliAuthentication(_UserAuthentication):
    """v1's login of the command-line client; here it calls no other program."""

    def __init__(self, cloud: Optional[str] = None) -> None:
        super().__init__(cloud)


class MsiAuthentication(_UserAuthentication):
    """v1's managed identity; `identity_config` and the other keywords are kept."""

    def __init__(self, cloud: Optional[str] = None, **kwargs: Any) -> None:
        super().__init__(cloud)
        self._identity_config = kwargs.pop("identity_config", None)
        self._options = kwargs


class ServicePrincipalAuthentication(_UserAuthentication):
    """A service's own account.

    Args:
        tenant_id: Kept.
        service_principal_id: Kept.
        service_principal_password: Kept in this object, never stored or sent.
        cloud: Kept.
    """

    def __init__(
        self,
        tenant_id: Optional[str],
        service_principal_id: Optional[str],
        service_principal_password: Optional[str],
        cloud: str = "AzureCloud",
        _enable_caching: bool = True,
    ) -> None:
        super().__init__(cloud)
        self._tenant_id = tenant_id
        self._service_principal_id = service_principal_id
        self._service_principal_password = service_principal_password
        self._enable_caching = _enable_caching


class ArmTokenAuthentication(AbstractAuthentication):
    """A token that the script already has."""

    def __init__(self, arm_access_token: str, cloud: str = "None") -> None:
        super().__init__(cloud)
        self._arm_access_token = arm_access_token

    def update_arm_access_token(self, new_arm_access_token: str) -> None:
        """Use another token from now on."""
        self._arm_access_token = new_arm_access_token

    def _get_arm_token(self) -> str:
        return self._arm_access_token


class TokenAuthentication(AbstractAuthentication):
    """Tokens from a function of the script's own.

    Args:
        get_token_for_audience: Takes an audience's URL, returns the token.
        cloud: Kept.

    Raises:
        AuthenticationException: `get_token_for_audience` is no function.
    """

    def __init__(self, get_token_for_audience: Callable[[str], Optional[str]], cloud: Optional[str] = None) -> None:
        if not callable(get_token_for_audience):
            raise AuthenticationException("get_token_for_audience must be a function that takes an audience and returns a token.")
        super().__init__(cloud)
        self._get_token_for_audience = get_token_for_audience

    def get_token(self, audience: Any = Audience.ARM) -> str:  # type: ignore[override]  # v1's signature
        """Return the token for an audience.

        Raises:
            AuthenticationException: The script's function gave none.
        """
        token = self._get_token_for_audience(_AUDIENCE_URLS.get(audience, audience))
        if not token:
            raise AuthenticationException(f"The function get_token_for_audience gave no token for {audience}.")
        return token

    def _get_arm_token(self) -> str:
        return self.get_token(Audience.ARM)


class AzureMLTokenAuthentication(AbstractAuthentication):
    """The token of a run, as the run's own script has it."""

    EXPIRATION_THRESHOLD_IN_SECONDS = 95
    REFRESH_INTERVAL_IN_SECONDS = 30

    def __init__(
        self,
        azureml_access_token: str,
        expiry_time: Any = None,
        host: Optional[str] = None,
        subscription_id: Optional[str] = None,
        resource_group_name: Optional[str] = None,
        workspace_name: Optional[str] = None,
        experiment_name: Optional[str] = None,
        run_id: Optional[str] = None,
        user_email: Optional[str] = None,
        experiment_id: Optional[str] = None,
        cloud: str = "AzureCloud",
    ) -> None:
        super().__init__(cloud)
        self._token = azureml_access_token
        self._expiry_time = expiry_time
        self._host = host
        self._subscription_id = subscription_id
        self._resource_group_name = resource_group_name
        self._workspace_name = workspace_name
        self._experiment_name = experiment_name
        self._run_id = run_id
        self._user_email = user_email
        self._experiment_id = experiment_id

    @classmethod
    def create(
        cls,
        azureml_access_token: str,
        expiry_time: Any,
        host: Optional[str],
        subscription_id: Optional[str],
        resource_group_name: Optional[str],
        workspace_name: Optional[str],
        experiment_name: Optional[str],
        run_id: Optional[str],
        user_email: Optional[str] = None,
        experiment_id: Optional[str] = None,
    ) -> AzureMLTokenAuthentication:
        """Return the authentication object of a run."""
        return cls(
            azureml_access_token,
            expiry_time,
            host,
            subscription_id,
            resource_group_name,
            workspace_name,
            experiment_name,
            run_id,
            user_email,
            experiment_id,
        )

    @property
    def token(self) -> str:
        """The token."""
        return self._token

    @property
    def expiry_time(self) -> Any:
        """When the token expires, or None."""
        return self._expiry_time

    def set_token(self, token: str, expiry_time: Any) -> None:
        """Use another token from now on."""
        self._token = token
        self._expiry_time = expiry_time

    def get_authentication_header(self) -> Dict[str, str]:
        """Return the header to send: {"Authorization": "Bearer <token>"}."""
        return {"Authorization": f"Bearer {self._token}"}

    def _get_arm_token(self) -> str:
        return self._token
