"""The gRPC services, and their calls of a loaded model."""
