"""Notebooks as runs. Not part of this version: the names import and refuse to work."""

from azureml.core._refusal import refuse_class

_INSTEAD = "Run the notebook with `penstock run notebook.ipynb`, or with a PythonScriptStep whose script executes it."

AzureMLNotebookHandler = refuse_class("azureml.contrib.notebook.AzureMLNotebookHandler", _INSTEAD)
NotebookRunConfig = refuse_class("azureml.contrib.notebook.NotebookRunConfig", _INSTEAD)
NotebookRunnerStep = refuse_class("azureml.contrib.notebook.NotebookRunnerStep", _INSTEAD)

__all__ = ["AzureMLNotebookHandler", "NotebookRunConfig", "NotebookRunnerStep"]
