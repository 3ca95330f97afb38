"""The endpoints of the HTTP API, one file per group."""
