"""v1's internal client of datastores, for scripts that import the module. Use azureml.core.Datastore."""
