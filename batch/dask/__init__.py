"""The engine whose Dask workers measure by themselves."""
