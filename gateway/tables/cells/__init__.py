"""What the cells of a row say, and which target that is."""
