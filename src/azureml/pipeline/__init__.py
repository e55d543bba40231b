"""Pipelines: `core` describes, submits and watches them, `steps` holds the kinds of steps."""
