"""Explanations in deployed web services: see `azureml.interpret.scoring.scoring_explainer`."""
