"""Measures how far a release can be trusted."""
