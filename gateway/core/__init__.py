"""The project's terms as frozen values, its errors, and the computations on them. Independent of any protocol."""
