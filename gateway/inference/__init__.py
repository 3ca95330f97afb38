"""Ask TensorFlow Serving over gRPC: the messages, the client of every network, and what gathers images into batches."""
