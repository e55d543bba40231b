"""Explanations of models, in their older place."""
