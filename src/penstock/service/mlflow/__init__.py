"""MLflow's REST interface, for its unmodified clients: its paths, its JSON, its errors."""
