"""What v1 deploys to. Penstock deploys nothing: descriptions keep what they are given, looking finds nothing, all else refuses by name."""

from __future__ import annotations

from typing import Any, List

from azureml.core._refusal import Refused


class DeploymentConfiguration:
    """What a deployment or an image would be like: each setting that is given is an attribute."""

    def __init__(self, **settings: Any) -> None:
        self.__dict__.update(settings)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in vars(self).items())})"


class Absent(Refused):
    """The type of v1's services and images. Looking for one finds none; what would make one raises NotImplementedError."""

    _kind: str

    def __call__(self, workspace: Any, name: Any = None, *args: Any, **kwargs: Any) -> Any:
        from azureml.exceptions import WebserviceException

        place = f"workspace '{getattr(workspace, 'name', None)}'"
        raise WebserviceException(
            f"{self._kind}NotFound: {self._kind} with name {name} not found in {place}. {self._instead}", status_code=404
        )

    def list(self, workspace: Any, *args: Any, **kwargs: Any) -> List[Any]:
        """Return an empty list: there are none."""
        return []
