"""Training helpers of SDK v1. Not part of this version: the names import and refuse to work."""
