"""Contributed parts of SDK v1. What this version does not have of them refuses to work; other names can't be imported."""
