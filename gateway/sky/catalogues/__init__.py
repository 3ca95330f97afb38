"""Catalogues that are known without a network: OpenNGC and the operator's own file."""
