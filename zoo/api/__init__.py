"""The zoo's HTTP API."""
