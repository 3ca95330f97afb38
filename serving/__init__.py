"""The stand-in for TensorFlow Serving, and the files that configure either of them."""
