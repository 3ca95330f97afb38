"""The table that is made of the partitions in the end: its format, and columns carried along."""
