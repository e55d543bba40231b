"""MLflow's view of our rows: its experiments, runs, metrics, artifacts and models are ours, in its words."""
