"""Which versions are to be served, which are, and how one replaces another."""
