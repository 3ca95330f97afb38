"""The tables on SQLite and on PostgreSQL: as the models say, with rules that the database itself keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from tests.support.zoo import KINDS
from zoo.database.engine import DatabaseUnusable, open_database
from zoo.database.models import Base, LeaseRow, MeasurementRow, PersonRow, ProjectRow, StandardRow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture(params=KINDS)
def engine(
    request: pytest.FixtureRequest, new_database: Callable[[str, Path], str], tmp_path: Path
) -> Iterator[Engine]:
    opened = open_database(new_database(request.param, tmp_path))
    yield opened
    opened.dispose()


def lease(session: Session) -> LeaseRow:
    project = ProjectRow(slug="p", title="P", survey=None, created_at=0.0)
    person = PersonRow(key_name="ann", token_hash=None, created_at=0.0)
    standard = StandardRow(name="s", role="hidden", truth_deg=50.0, pgc=None)
    session.add_all([project, person, standard])
    session.flush()
    given = LeaseRow(
        code="c",
        project_id=project.id,
        person_id=person.id,
        standard_id=standard.id,
        target_id=None,
        purpose="hidden",
        given_at=0.0,
        expires_at=1.0,
    )
    session.add(given)
    session.flush()
    return given


def measurement(given: LeaseRow, uuid: str, **changed: Any) -> MeasurementRow:
    columns: dict[str, Any] = {
        "uuid": uuid,
        "lease_id": given.id,
        "project_id": given.project_id,
        "person_id": given.person_id,
        "target_id": None,
        "standard_id": given.standard_id,
        "purpose": "hidden",
        "inclination_deg": 51.0,
        "seconds": None,
        "measured_at": 2.0,
        "undone_at": None,
    }
    return MeasurementRow(**columns | changed)


def test_migrations_make_the_tables_that_the_models_describe(engine: Engine) -> None:
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []


def test_a_database_that_was_used_opens_again_with_all_that_is_in_it(engine: Engine) -> None:
    with Session(engine) as session, session.begin():
        lease(session)
    again = open_database(engine.url.render_as_string(hide_password=False))
    with Session(again) as session:
        assert session.query(LeaseRow).one().standard is not None
    again.dispose()


def test_an_answer_of_one_uuid_is_kept_once(engine: Engine) -> None:
    with Session(engine) as session, session.begin():
        session.add(measurement(lease(session), "one", undone_at=3.0))
    with Session(engine) as session:
        session.add(measurement(session.query(LeaseRow).one(), "one"))
        with pytest.raises(IntegrityError):
            session.flush()


def test_of_one_lease_one_measurement_stands_and_any_number_was_taken_back(engine: Engine) -> None:
    with Session(engine) as session, session.begin():
        given = lease(session)
        session.add_all([measurement(given, "a", undone_at=3.0), measurement(given, "b", undone_at=4.0)])
        session.add(measurement(given, "c"))
    with Session(engine) as session:
        session.add(measurement(session.query(LeaseRow).one(), "d"))
        with pytest.raises(IntegrityError):
            session.flush()


def test_sqlite_writes_ahead_and_waits_for_the_disk(tmp_path: Path) -> None:
    opened = open_database(f"sqlite:///{tmp_path}/deep/down/zoo.sqlite")
    with opened.connect() as connection:
        assert connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"
        assert connection.execute(text("PRAGMA synchronous")).scalar() == 2
    opened.dispose()


@pytest.mark.parametrize("url", ["postgresql+psycopg://zoo:hidden@127.0.0.1:1/zoo", "sqlite:////proc/none/zoo.sqlite"])
def test_a_database_that_can_not_be_used_is_told_without_its_password(url: str) -> None:
    with pytest.raises(DatabaseUnusable) as told:
        open_database(url)
    assert "hidden" not in str(told.value)
