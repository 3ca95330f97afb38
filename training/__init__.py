"""Simulates galaxies, trains the networks and makes model releases. The only room that trains."""
