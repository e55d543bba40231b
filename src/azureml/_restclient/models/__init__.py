"""What the genuine client sent. Nothing here sends it."""
