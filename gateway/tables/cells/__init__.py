"""The cells of a row as values, and the target that a row asks about."""
