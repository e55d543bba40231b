"""Finds Microsoft's own azureml-core in the namespace that we share with it.

Both distributions own the folder `azureml/core`. Installed into one environment they overwrite each other's files, and
found in two places they mix. Neither gives a sensible error later, so the first import looks.
"""

from __future__ import annotations

import os
from typing import Iterable, List, Optional

# A package of azureml-core that we do not have, so its presence tells the two apart.
_MARK = "_base_sdk_common"


def find(namespace_path: Iterable[str]) -> Optional[str]:
    """Return what was found of azureml-core in these `azureml` folders, as words; None when there is nothing."""
    for folder in namespace_path:
        if os.path.isdir(os.path.join(folder, _MARK)):
            return _describe(folder)
    return None


def find_genuine() -> Optional[str]:
    """Return what is installed of azureml-core where this Python takes `azureml` from, as words; None when there is nothing.

    Imports nothing of `azureml`. This file uses only the standard library, so that a program can load it by its path when
    `azureml.core` itself no longer imports.
    """
    from importlib.util import find_spec

    spec = find_spec("azureml")
    return find(spec.submodule_search_locations or ()) if spec is not None else None


def _describe(folder: str) -> str:
    distributions = _distributions(os.path.dirname(folder))
    return f"{distributions[0] if distributions else 'azureml-core'} in {folder}"


def _distributions(site: str) -> List[str]:
    try:
        names = os.listdir(site)
    except OSError:
        return []
    found = [name[: -len(".dist-info")] for name in names if name.startswith("azureml_core-") and name.endswith(".dist-info")]
    return [name.replace("_", "-", 1).replace("-", " ").replace("azureml core", "azureml-core", 1) for name in sorted(found)]


def refuse(namespace_path: Iterable[str]) -> None:
    """Raise when azureml-core is installed where `azureml` modules come from.

    Raises:
        ImportError: It is; the message says where, and what to do.
    """
    found = find(namespace_path)
    if found:
        raise ImportError(
            f"Penstock can't share a Python environment with the Azure SDK: found {found}. Both provide 'azureml.core', and a mix of the "
            "two fails in strange ways. Either remove the Azure SDK and put Penstock's files back:\n"
            "    pip uninstall azureml-core azureml-pipeline-core azureml-pipeline-steps azureml-telemetry azureml-dataprep\n"
            "and in Penstock's folder:\n"
            "    pip install --force-reinstall --no-deps .\n"
            "or install Penstock into a virtual environment of its own."
        )
