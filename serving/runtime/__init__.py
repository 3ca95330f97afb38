"""SavedModels in TensorFlow's C++ runtime, used without TensorFlow's Python code."""
