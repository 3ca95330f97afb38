"""The HTTP face, one file a family of endpoints."""
