"""A model release: recipe, parallel training, calibration, export, manifest."""
