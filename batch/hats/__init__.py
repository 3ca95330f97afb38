"""Catalogues in HATS, the format of LSDB and Rubin: Parquet files by HEALPix pixel, read and written by hats."""
