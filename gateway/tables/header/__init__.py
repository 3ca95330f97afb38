"""What the columns of a table mean, by their names, UCDs and units."""
