"""Finds the galaxy of a target and fetches the survey's image of it. Independent of any protocol."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from gateway.core import errors
from gateway.core.models import Cutout, Deadline, Galaxy, Target
from gateway.sky.positions import parse_position, separation_arcsec
from gateway.telemetry import tracing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from gateway.sky import Sky

_NEAR_ARCMIN = 1.0


@dataclass(frozen=True, slots=True)
class Fetched:
    """A galaxy, its cutout, and contradictions within the question, in plain words."""

    galaxy: Galaxy
    cutout: Cutout
    warnings: tuple[str, ...] = ()


class Targets:
    """Resolves targets and fetches their cutouts.

    Parameters
    ----------
    sky : Sky
    observe : callable
        Called with ``(stage, seconds)`` after every step.
    """

    def __init__(self, sky: Sky, observe: Callable[[str, float], None] = lambda _stage, _seconds: None) -> None:
        self._sky = sky
        self._observe = observe

    async def resolve(self, target: Target, *, deadline: Deadline, sized: bool = True) -> Galaxy:
        """Return the galaxy of a target.

        A position without a catalogued galaxy is a galaxy of unknown size. With a field of view given, or where the
        size may be unknown (not ``sized``), only the offline catalogues are searched for a position, since nothing more
        needs to be known.

        Raises
        ------
        errors.TargetError
            The target is unknown, not a galaxy, or can't be read.
        errors.UpstreamError, errors.DeadlineExceeded
            The services that know did not answer.
        """
        resolver = self._sky.resolver
        structlog.contextvars.bind_contextvars(target=target.asked)
        with stage(self._observe, "resolve", {"inclinet.target": target.asked}):
            if target.pgc is not None:
                return await resolver.by_pgc(target.pgc, deadline=deadline)
            if target.ra is None:
                if target.name is None:
                    raise errors.BadTarget("A target needs a PGC number, a name, or a position.")
                return await resolver.by_name(target.name, deadline=deadline, sized=target.fov_arcmin is None)
            # only sexagesimal positions import astropy, which takes a second the first time
            ra_deg, dec_deg = parse_position(target.ra, target.dec or "")
            if sized and target.fov_arcmin is None:
                known = await resolver.at(ra_deg, dec_deg, deadline=deadline)
            else:
                known = await resolver.near(ra_deg, dec_deg)
            return known or Galaxy(ra_deg, dec_deg, source="coordinates")

    async def find(self, target: Target, *, deadline: Deadline, sized: bool = True) -> tuple[Galaxy, tuple[str, ...]]:
        """Resolve a target; also return contradictions within the question, in plain words.

        Raises
        ------
        errors.GatewayError
            See :meth:`resolve`.
        """
        galaxy = await self.resolve(target, deadline=deadline, sized=sized)
        return galaxy, tuple(await self._contradictions(target, galaxy))

    async def fetch(self, target: Target, *, deadline: Deadline, survey: str | None = None) -> Fetched:
        """Resolve a target and fetch its cutout.

        Parameters
        ----------
        target : Target
        deadline : Deadline
        survey : str, optional
            Key of the survey to ask for the image; the default one unless given.

        Raises
        ------
        errors.GatewayError
            See :meth:`resolve` and :meth:`gateway.sky.cutouts.Cutouts.fetch`.
        """
        galaxy, contradictions = await self.find(target, deadline=deadline)
        with stage(self._observe, "cutout", {"inclinet.survey": survey or "default"}):
            cutout = await self._sky.cutouts.fetch(
                galaxy,
                fov_arcmin=target.fov_arcmin,
                position_angle_deg=target.position_angle_deg,
                survey=survey,
                deadline=deadline,
            )
        return Fetched(galaxy, cutout, contradictions)

    async def _contradictions(self, target: Target, galaxy: Galaxy) -> list[str]:
        """Return a sentence for each unused position or name of the target that means another galaxy than ``galaxy``.

        Only the offline catalogues are searched: a name that they do not know contradicts nothing.
        """
        said = []
        believed = f"PGC {target.pgc}" if target.pgc is not None else f"the position {target.asked}"
        if target.pgc is not None and target.ra is not None:
            try:
                position = parse_position(target.ra, target.dec or "")
            except errors.BadTarget as problem:
                said.append(f"{problem.detail} {believed} was measured.")
            else:
                apart = separation_arcsec(*position, galaxy.ra_deg, galaxy.dec_deg) / 60
                if apart > _apart_arcmin(galaxy):
                    said.append(f"The position given lies {apart:.3g} arcmin from {believed}, which was measured.")
        if target.name is not None and (target.pgc is not None or target.ra is not None):
            try:
                named = (await self._sky.resolver.offline()).by_name(target.name)
            except errors.TargetError:
                named = None  # a pair, or no galaxy: the rest of the target decides
            if named is not None and not (named.pgc and named.pgc == galaxy.pgc):
                apart = separation_arcsec(named.ra_deg, named.dec_deg, galaxy.ra_deg, galaxy.dec_deg) / 60
                if apart > max(_apart_arcmin(galaxy), _apart_arcmin(named)):
                    said.append(
                        f"The name {target.name} is a galaxy {apart:.3g} arcmin from {believed}, which was measured."
                    )
        return said


@contextmanager
def stage(
    observe: Callable[[str, float], None], name: str, attributes: Mapping[str, str] | None = None
) -> Iterator[None]:
    """Trace a step and call ``observe`` with its duration, seconds."""
    started = time.perf_counter()
    try:
        with tracing.span(name, attributes):
            yield
    finally:
        observe(name, time.perf_counter() - started)


def _apart_arcmin(galaxy: Galaxy) -> float:
    """Return how far from its centre a position or name still means a galaxy, arcmin: within its disc, or 1 arcmin."""
    return max(_NEAR_ARCMIN, (galaxy.d25_arcmin or 0.0) / 2)
