"""Inputs that are files written from a table: they are made in the step's own environment, just before its script begins."""

from __future__ import annotations

import json
import os
import sys

from penstock.runtime.context import find_context

VARIABLE = "PENSTOCK_WRITTEN_INPUTS"


def write_inputs() -> None:
    """Write what PENSTOCK_WRITTEN_INPUTS names, a JSON list of {"name": input, "dataset": document, "target": folder}.

    Raises:
        RuntimeError: The data can't be found, reached or read; or the environment lacks a library that writing needs.
    """
    context = find_context()
    if context is None or context.workspace_id is None:
        raise RuntimeError(f"{VARIABLE} is set outside a run. It is for the steps of a pipeline; unset it.")
    from penstock.client import connect
    from penstock.model.errors import PenstockError
    from penstock.tabular import write_files_of

    for item in json.loads(os.environ[VARIABLE]):
        os.makedirs(item["target"], exist_ok=True)
        try:
            write_files_of(connect(), context.workspace_id, item["dataset"], item["target"])
        except PenstockError as error:  # one sentence says all; where in our code it was is nobody's concern
            raise RuntimeError(f"The files of the input '{item['name']}' can't be written from its table: {error.message}") from None
        except ModuleNotFoundError as error:
            raise RuntimeError(
                f"An input of this step is written from a table, which needs the library '{error.name}', and {sys.executable} does not "
                'have it. Install it into that environment: pip install "penstock[data]".'
            ) from None
