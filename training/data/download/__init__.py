"""Fetches real galaxies from the archives: tables, SDSS colour cutouts, calibrated exposures made one picture.

Everything is asked through the gateway's own client (:mod:`gateway.sky`), so that an archive meets one set of manners:
bounded calls in flight, retries with growing pauses, ``Retry-After`` obeyed, mirrors left alone while they fail.
"""
