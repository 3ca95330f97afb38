"""Labels by people: the Galaxy Inclination Zoo as a service of its own, the one plane that keeps state."""
