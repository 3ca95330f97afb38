"""The use cases: the inclination of one galaxy, and of many. Knows no protocol."""
