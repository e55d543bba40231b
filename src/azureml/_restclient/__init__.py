"""The corner of v1's REST client that scripts import from."""
