"""The table that is made of the partitions at the end: its format, and columns copied from the input."""
