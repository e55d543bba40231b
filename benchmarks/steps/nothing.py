"""A step that does nothing: what a pipeline of these takes is the product's own cost."""
