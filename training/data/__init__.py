"""What networks learn from: real galaxies with human labels, catalogues, downloads."""
