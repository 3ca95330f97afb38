"""Figures for people: sheets of galaxies, comparisons of predictions with labels, learning curves."""
