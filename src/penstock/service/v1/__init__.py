"""v1's REST interface: start what is published, follow it, list it, as programs have always called it."""
