"""Offline catalogues: OpenNGC and the operator's own file."""
