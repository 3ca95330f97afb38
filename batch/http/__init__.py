"""The engine that asks any gateway over HTTP."""
