"""Measuring: people, their galaxies, their answers, and snapshots of a project."""
