"""Client of TensorFlow Serving over gRPC: the messages, the calls to every network, and the batching of images."""
