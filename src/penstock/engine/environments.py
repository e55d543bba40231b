"""Whether a step's interpreter may stand in for the environment that was asked for.

This version builds no environments: a step runs on the interpreter that submitted it. The policy says what that means for a step that
asks for packages.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from penstock.model.errors import Unsupported

_OURS = re.compile(r"azureml[-_\w]*|penstock", re.IGNORECASE)
_NAME = re.compile(r"[A-Za-z0-9._-]+")
_IGNORED = ("python", "pip")


def check_environment(step_name: str, run_config: Mapping[str, Any], policy: str, interpreter: str) -> str | None:
    """Return a warning for a step that asks for packages nobody will install, or None.

    Raises:
        Unsupported: The policy is `exact`, and packages are asked for.
    """
    environment = run_config.get("environment") or {}
    wanted = list(list_packages(environment))
    if policy == "current" or not wanted:
        return None
    text = (
        f"The environment '{environment.get('name')}' of step '{step_name}' asks for {', '.join(wanted)}. This version of Penstock "
        f"builds no environments: the step runs on {interpreter}, which must provide what the script imports"
    )
    if policy == "exact":
        raise Unsupported(f"{text}. Set the environment policy to 'compatible' (PENSTOCK_ENVIRONMENT_POLICY) to run it there.")
    return f"{text}."


def list_packages(environment: Mapping[str, Any]) -> Iterator[str]:
    """Yield the packages that an environment asks for; `azureml-*` means Penstock, which is there."""
    python = environment.get("python") or {}
    if python.get("userManagedDependencies"):
        return
    for item in (python.get("condaDependencies") or {}).get("dependencies") or []:
        for requirement in item.get("pip") or [] if isinstance(item, Mapping) else [item]:
            name = _NAME.match(str(requirement))
            if name and name[0].lower() not in _IGNORED and not _OURS.fullmatch(name[0]):
                yield str(requirement)
