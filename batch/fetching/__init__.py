"""Fetches images of galaxies from the public archives, within their rates: a step of its own."""
