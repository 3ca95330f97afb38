"""How one asks the zoo over HTTP."""
