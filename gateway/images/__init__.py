"""Images: from the bytes of a file to the model input and the fitted ellipse."""
