"""Training helpers of SDK v1: estimators, and what later releases bring."""
