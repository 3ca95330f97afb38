"""Projects: their galaxies and the pictures of these."""
