"""Cuts pictures of galaxies from images with a known position on the sky (FITS with a celestial WCS)."""
