"""Images of galaxies from the public archives, no faster than these allow: a step of its own."""
