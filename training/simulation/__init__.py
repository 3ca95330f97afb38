"""Simulates galaxies: draws their properties, renders them by radiative transfer, and adds the telescope's effects."""
