"""Rows: reads, transforms and writes tabular datasets with the pandas and pyarrow of the user's environment."""
