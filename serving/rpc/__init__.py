"""The gRPC services, and what they do with a loaded model."""
