"""Galaxies cut from images of the sky: finding the images, choosing those of a galaxy, and cutting its picture."""
