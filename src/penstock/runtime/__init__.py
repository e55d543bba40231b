"""Inside a step: starting the script, its run context, its metrics. The fastest import we have."""
