"""Survey runs: a catalogue of any length in, a folder of Parquet files with its inclinations out, on Dask's workers."""
