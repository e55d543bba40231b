"""Contributed parts of pipelines."""
