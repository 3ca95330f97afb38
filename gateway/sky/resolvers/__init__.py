"""Resolves names, numbers and positions to galaxies, by the offline catalogues and then by services."""
