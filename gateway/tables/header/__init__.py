"""The meaning of a table's columns, by their names, UCDs and units."""
