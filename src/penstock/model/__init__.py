"""Nouns and pure rules: graph, status, metrics, errors. Standard library only; no disk, no clock, no chance."""
