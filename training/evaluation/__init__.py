"""How far a release may be trusted."""
