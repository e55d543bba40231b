"""v1 keeps an exception here that scripts catch."""
