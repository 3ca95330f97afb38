"""Downloads real galaxies from the archives: tables, SDSS colour cutouts, pictures made of calibrated exposures.

All requests use the gateway's own client (:mod:`gateway.sky`), so that every archive gets the same treatment: a limit
on calls in flight, retries with growing pauses, ``Retry-After`` obeyed, failing mirrors left alone.
"""
