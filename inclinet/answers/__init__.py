"""The answers of a gateway: as values with units, rows of a table, or a picture."""
