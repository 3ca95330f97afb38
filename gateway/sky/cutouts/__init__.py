"""Galaxies become pictures, cut out of image surveys by services."""
