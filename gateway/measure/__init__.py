"""The use cases: the inclination of one galaxy, and of many. Independent of any protocol."""
