"""Simulated galaxies of exactly known inclination, to compare targets with and to test people with."""
