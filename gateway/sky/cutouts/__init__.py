"""Cutouts of galaxies from the services of image surveys."""
