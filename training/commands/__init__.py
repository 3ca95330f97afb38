"""The commands of ``python -m training``, one file per kind; each command imports only what it needs."""
