"""Standards: simulated galaxies of exactly known inclination, for comparison with targets and for testing people."""
