"""Tables of targets: the meaning of their columns, their formats, and their rows as questions."""
