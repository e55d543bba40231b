"""Whether the `azureml` beside us is ours. Microsoft's azureml-core owns the same folders, and may have been installed over them.

Our own check in `azureml.core` sees it only where that file is still ours. So this one reads files, and imports nothing foreign.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from penstock.model.errors import Refused

# Packages that both have, and a word that only ours holds: ours load their names late.
_SHARED = ("core", "pipeline/core", "pipeline/steps")
_MARK = "_HOMES = {"

_MEND = (
    "Both provide the package 'azureml', and a mix of the two fails in strange ways. Remove the Azure SDK and put Penstock's files back:\n"
    "    pip uninstall azureml-core azureml-pipeline-core azureml-pipeline-steps azureml-telemetry azureml-dataprep\n"
    "    in Penstock's folder: pip install --force-reinstall --no-deps .\n"
    "or install Penstock into a virtual environment of its own."
)


def check_installation(site: Path | None = None, search_path: Sequence[str] | None = None) -> None:
    """Return when `azureml` is Penstock's own.

    Args:
        site: The folder in which `penstock` and its `azureml` lie; this one's when None.
        search_path: Where else Python looks for `azureml`; `sys.path` when None.

    Raises:
        Refused: The genuine azureml-core is there too, or was and took files with it; the message says where, and what to do.
    """
    site = Path(__file__).parents[2] if site is None else site
    found = _find_genuine(site, sys.path if search_path is None else search_path)
    if found:
        raise Refused(f"Penstock can't share a Python environment with the Azure SDK: found {found}. {_MEND}")
    foreign = list(_list_foreign(site))
    if foreign:
        raise Refused(
            f"Penstock's own 'azureml' is not whole: {'; '.join(foreign)}. The Azure SDK was installed over it, or removed. {_MEND}"
        )


def _list_foreign(site: Path) -> Iterable[str]:
    for name in _SHARED:
        file = site / "azureml" / name / "__init__.py"
        try:
            text = file.read_text(encoding="utf-8", errors="replace")
        except OSError:
            yield f"{file} is gone"
            continue
        if _MARK not in text:
            yield f"{file} is not Penstock's"


def _find_genuine(site: Path, search_path: Sequence[str]) -> str | None:
    find = _load_find(site / "azureml" / "core" / "_genuine.py")
    folders = dict.fromkeys([str(site), *search_path])
    found: str | None = find([str(Path(folder, "azureml")) for folder in folders]) if find else None
    return found


def _load_find(file: Path) -> Callable[..., Any] | None:
    """Return what finds azureml-core, from its file: importing it would run a foreign `azureml.core` first."""
    spec = importlib.util.spec_from_file_location("_penstock_genuine", file)
    if spec is None or spec.loader is None or not file.is_file():
        return None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return getattr(module, "find", None)
