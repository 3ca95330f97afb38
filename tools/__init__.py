"""Programs for who works on the project: what it is made of, and what is known against that."""
