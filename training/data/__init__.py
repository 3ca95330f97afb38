"""The training data: real galaxies with human labels, catalogues, downloads."""
