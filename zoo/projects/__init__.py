"""What is measured: the galaxies of a project and their pictures."""
