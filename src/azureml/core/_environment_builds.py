"""Environments that are built: how a build goes on, and what it made."""

from __future__ import annotations

import codecs
import sys
import time
from typing import Any, Dict, Optional, Union

from azureml.core._errors import v1_errors

LOOK_SECONDS = 0.5  # a log is a file: nothing tells when it grows; its build's end is looked for with it
_OVER = ("Succeeded", "Failed")


class ImageBuildDetails:
    """The build of an environment: its status, its log, and a wait for its end.

    Args:
        environment_client: The client that asked for the build.
        location: What finds the build again.

    Attributes:
        environment_client: The client that asked for the build.
        log_url: None: `get_log` has the log.
    """

    def __init__(self, environment_client: Any, location: str) -> None:
        self.environment_client = environment_client
        self.log_url: Optional[str] = None
        self._location = location

    @property
    def status(self) -> str:
        """How far the build is: Queued, Running, Succeeded or Failed."""
        return str(self._read()["status"])

    def get_log(self) -> str:
        """Return the build's log so far; empty before it begins."""
        return self._log_from(0).decode("utf-8", "replace")

    def wait_for_completion(self, show_output: bool = True) -> None:
        """Wait for the build's end.

        Args:
            show_output: Whether its log is printed while it grows.

        Raises:
            ActivityFailedException: It failed; the message says what to change.
        """
        shown, decoder = 0, codecs.getincrementaldecoder("utf-8")("replace")  # a letter may come in two parts
        while True:
            request = self._read()  # before the log: so its last lines are not missed
            if show_output:
                data = self._log_from(shown)
                shown += len(data)
                sys.stdout.write(decoder.decode(data))
                sys.stdout.flush()
            if request["status"] in _OVER:
                return self._finish(request, show_output)
            time.sleep(LOOK_SECONDS)

    def _finish(self, request: Dict[str, Any], show_output: bool) -> None:
        from azureml.exceptions import ActivityFailedException

        if request["status"] != "Succeeded":
            raise ActivityFailedException(f"The environment '{request['name']}' could not be built. {request['error']}")
        if show_output:
            for text in request["notes"]:
                print(f"Note: {text}")
            print(f"Environment '{request['name']}' version {request['version']}: Succeeded ({request['python']})", flush=True)

    def _read(self) -> Dict[str, Any]:
        with v1_errors():
            request: Dict[str, Any] = self.environment_client.get_environment_request(self._location)
            return request

    def _log_from(self, offset: int) -> bytes:
        with v1_errors():
            log: bytes = self.environment_client.read_environment_request_log(self._location, offset)
            return log


class DockerImageDetails(Dict[str, Any]):
    """Facts about an environment's image, as a dictionary with properties. Here, an environment is a folder and no image."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)

    @property
    def image_exist(self) -> bool:
        """Whether it has been built."""
        return bool(self.get("imageExistsInRegistry", False))

    @property
    def image(self) -> Optional[Dict[str, Any]]:
        """The image's name and tag; None, as there is no image."""
        return self.get("image")

    @property
    def repository(self) -> Optional[str]:
        """The repository the image is in."""
        return (self.image or {}).get("name")

    @property
    def registry(self) -> Optional[Union[str, Dict[str, Any]]]:
        """The registry the image is in."""
        return self.get("registry")

    @property
    def dockerfile(self) -> Optional[str]:
        """The Dockerfile the image is built from."""
        return (self.get("ingredients") or {}).get("dockerfile")

    @property
    def environment_path(self) -> Optional[str]:
        """The folder of the environment's Python."""
        return (self.get("pythonEnvironment") or {}).get("environmentPath")

    @property
    def interpreter_path(self) -> Optional[str]:
        """The environment's interpreter."""
        return (self.get("pythonEnvironment") or {}).get("interpreterPath")


def begin_build(workspace: Any, name: str, version: str) -> ImageBuildDetails:
    """Ask for a registered environment to be built."""
    with v1_errors():
        request = workspace._client.request_environment_build(workspace._id, name, version, interpreter=sys.executable)
    return ImageBuildDetails(workspace._client, request["id"])


def describe_image(workspace: Any, environment: Any) -> DockerImageDetails:
    """Return what is known of an environment's latest build."""
    with v1_errors():
        requests = workspace._client.list_environment_requests(workspace._id, environment.name, environment.version)
    built = next((request for request in requests if request["status"] == "Succeeded"), None)
    interpreter = built["chosen_interpreter"] if built else None
    return DockerImageDetails(
        {
            "imageExistsInRegistry": built is not None,
            "image": None,
            "registry": None,
            "ingredients": {"dockerfile": environment.docker.base_dockerfile},
            "pythonEnvironment": {"interpreterPath": interpreter, "environmentPath": _folder_of(interpreter)},
        }
    )


def _folder_of(interpreter: Optional[str]) -> Optional[str]:
    import os

    return os.path.dirname(os.path.dirname(interpreter)) if interpreter else None
