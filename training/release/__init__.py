"""A model release: recipe, training side by side, calibration, export, manifest."""
