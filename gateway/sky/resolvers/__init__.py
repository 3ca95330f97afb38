"""Names, numbers and positions become galaxies, by the catalogues at hand and then by services."""
