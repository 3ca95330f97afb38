"""The engine that sends requests to any gateway over HTTP."""
