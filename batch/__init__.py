"""Measures many galaxies: from a table, a folder of images or model inputs to a table of inclinations.

The input is split into partitions by one rule: **a partition is done when its file exists**, and a file is written
whole or not at all. Two engines write these files: ``http`` sends requests to any gateway, and ``dask`` has workers
measure by themselves. When all files exist, ``convert`` makes one table of them.
"""
