"""The commands of ``python -m training``, a file for each kind; each command imports only what it needs."""
