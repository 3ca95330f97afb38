"""Versions of models: which are wanted, which are served, and how one replaces another."""
