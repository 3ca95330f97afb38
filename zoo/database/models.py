"""The tables of the zoo, as SQLAlchemy maps them.

Times are seconds since 1970 (UTC), inclinations degrees. No row is ever deleted: a measurement that is taken back is
marked, and a person who wants to be forgotten loses the link to key or token, not the measurements.
"""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


class Base(DeclarativeBase):
    """Base class of all tables."""


class ProjectRow(Base):
    """A project: galaxies that people measure together, and the range of inclinations of its standards."""

    __tablename__ = "projects"

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(unique=True)
    title: Mapped[str]
    description: Mapped[str] = mapped_column(default="")
    lowest_deg: Mapped[float] = mapped_column(default=0.0)
    highest_deg: Mapped[float] = mapped_column(default=90.0)
    survey: Mapped[str | None]
    created_at: Mapped[float]


class TargetRow(Base):
    """One galaxy of a project; its picture is a file of the operator, or a cutout of a survey."""

    __tablename__ = "targets"
    __table_args__ = (UniqueConstraint("project_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"), index=True)
    name: Mapped[str]
    pgc: Mapped[int | None]
    ra_deg: Mapped[float | None]
    dec_deg: Mapped[float | None]
    fov_arcmin: Mapped[float | None]
    position_angle_deg: Mapped[float | None]
    hubble_stage: Mapped[float | None]
    file: Mapped[str | None]
    network_deg: Mapped[float | None]
    network_spread_deg: Mapped[float | None]
    closed: Mapped[str] = mapped_column(default="")
    """Empty while people are asked; else ``done``, ``moderator`` (people can't settle it) or ``excluded``."""


class StandardRow(Base):
    """A galaxy of known inclination: part of the lattice, or given to people like a target."""

    __tablename__ = "standards"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    role: Mapped[str] = mapped_column(index=True)
    """``lattice``, ``practice`` or ``hidden``; ``withdrawn`` for a real one that is no longer shown."""
    truth_deg: Mapped[float]
    error_deg: Mapped[float] = mapped_column(default=0.0)
    """Uncertainty of the inclination, degrees; above 0 for a real galaxy, whose picture is a file or a cutout."""
    pgc: Mapped[int | None]
    file: Mapped[str | None]


class PersonRow(Base):
    """A person who measures, known by a key's name or by the hash of a browser's token; by neither once forgotten."""

    __tablename__ = "people"

    id: Mapped[int] = mapped_column(primary_key=True)
    key_name: Mapped[str | None] = mapped_column(unique=True)
    token_hash: Mapped[str | None] = mapped_column(unique=True)
    created_at: Mapped[float]
    quarantined: Mapped[bool] = mapped_column(default=False)
    quarantine_reason: Mapped[str] = mapped_column(default="")


class LeaseRow(Base):
    """A lease: a target or a standard that a person has to measure."""

    __tablename__ = "leases"
    __table_args__ = (Index("ix_leases_person_id_project_id", "person_id", "project_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    """Identifier of the lease for the browser, which does not reveal the galaxy."""
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    target_id: Mapped[int | None] = mapped_column(ForeignKey("targets.id"), index=True)
    standard_id: Mapped[int | None] = mapped_column(ForeignKey("standards.id"))
    purpose: Mapped[str]
    """``practice``, or the reason for the choice (:class:`zoo.statistics.selection.Reason`)."""
    given_at: Mapped[float]
    expires_at: Mapped[float]
    state: Mapped[str] = mapped_column(default="open")
    """State: ``open``, ``answered`` or ``skipped``."""

    target: Mapped[TargetRow | None] = relationship()
    standard: Mapped[StandardRow | None] = relationship()
    project: Mapped[ProjectRow] = relationship()


class MeasurementRow(Base):
    """One judgement of one galaxy by one person."""

    __tablename__ = "measurements"
    __table_args__ = (
        Index(
            "uq_measurements_standing",
            "lease_id",
            unique=True,
            sqlite_where=text("undone_at IS NULL"),
            postgresql_where=text("undone_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    uuid: Mapped[str] = mapped_column(unique=True)
    """Identifier made in the browser, so that an answer that is sent twice counts once."""
    lease_id: Mapped[int] = mapped_column(ForeignKey("leases.id"))
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"), index=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), index=True)
    target_id: Mapped[int | None] = mapped_column(ForeignKey("targets.id"), index=True)
    standard_id: Mapped[int | None] = mapped_column(ForeignKey("standards.id"))
    purpose: Mapped[str]
    inclination_deg: Mapped[float | None]
    seconds: Mapped[float | None]
    measured_at: Mapped[float]
    undone_at: Mapped[float | None]

    flags: Mapped[list[FlagRow]] = relationship(lazy="selectin")


class FlagRow(Base):
    """A concern that a person marked beside a measurement, or instead of one."""

    __tablename__ = "flags"

    measurement_id: Mapped[int] = mapped_column(ForeignKey("measurements.id"), primary_key=True)
    flag: Mapped[str] = mapped_column(primary_key=True)
