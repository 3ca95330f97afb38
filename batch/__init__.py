"""Measures many galaxies: a table, a folder of images or model inputs in, a table of inclinations out.

What is asked is cut into partitions. One rule holds: **a partition is done when its file exists**, and a file is
written whole or not at all. Two engines write these files: ``http`` asks any gateway, and ``dask`` has workers measure
by themselves. When all are there, ``convert`` makes the table of them.
"""
