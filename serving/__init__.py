"""The stand-in for TensorFlow Serving, and the configuration files for both."""
