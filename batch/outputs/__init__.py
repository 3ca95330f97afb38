"""What is kept: the folder of partitions, and the one schema of results."""
