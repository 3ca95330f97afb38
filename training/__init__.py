"""Simulates galaxies, trains the networks and makes model releases. Only this room trains networks."""
