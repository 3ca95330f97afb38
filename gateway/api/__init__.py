"""The HTTP interface: routes, JSON schemas, problems, middleware, API keys, admission and metrics."""
