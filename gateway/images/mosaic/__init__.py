"""Cut pictures of galaxies from images that say where on the sky they lie (FITS with a celestial WCS)."""
