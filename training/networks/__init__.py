"""The architectures, and one training run."""
