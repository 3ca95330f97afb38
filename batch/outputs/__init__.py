"""The output: the folder of partitions, and the one schema of results."""
