"""Tables of targets: what their columns mean, reading them, and their rows as questions."""
