"""Galaxies cut from images of the sky: where these lie, which show a galaxy, and its picture."""
