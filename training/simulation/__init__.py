"""Simulated galaxies: drawn, rendered by radiative transfer, and seen through a telescope."""
