"""The HTTP application: health and metrics."""
