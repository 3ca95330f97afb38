"""What is installed: the command line."""
