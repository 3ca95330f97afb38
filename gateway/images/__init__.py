"""Turns the bytes of an image file into the model input and the fitted ellipse."""
