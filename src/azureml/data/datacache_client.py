"""v1's internal client of dataset caches, for scripts that import the module. Not part of this version."""
