"""What scoring scripts of deployed web services import."""
