"""SavedModels in TensorFlow's C++ runtime, reached without its Python half."""
