"""The words of the service as frozen values, its errors, and what they are computed from. Knows no protocol."""
