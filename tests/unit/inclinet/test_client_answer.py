from __future__ import annotations

import base64
import copy
from typing import Any

import numpy as np
import pytest
from astropy import units as u
from astropy.table import QTable

from gateway.api.schemas import InclinationAnswer
from gateway.tables import results
from inclinet import Answer
from inclinet.answers.answer import tabulate
from inclinet.answers.columns import TABLE_COLUMNS
from inclinet.answers.table import HYPERLEDA
from tests.support.scripted_gateway import answer as scripted

ELLIPSE = {"x": 0.5, "y": 0.25, "semi_major": 0.2, "semi_minor": 0.1, "angle_deg": 30.0}


def said(**changed: Any) -> dict[str, Any]:
    json = scripted(2557, "2026.3")
    json["ellipticity"] = {"axis_ratio": 0.5, "inclination_deg": 65.2, "r": 0.3, "ellipse": ELLIPSE}
    return json | changed


def test_the_columns_are_those_of_the_apis_tables() -> None:
    own = [(one.name, one.kind.__name__, one.description, one.unit, one.ucd) for one in TABLE_COLUMNS]
    assert own == [(one.name, one.kind, one.description, one.unit, one.ucd) for one in results.BATCH_COLUMNS]
    assert [one.link for one in results.BATCH_COLUMNS if one.link] == [HYPERLEDA]


@pytest.mark.parametrize("json", [said(), said(ellipticity=None), said(galaxy=None)])
def test_an_answer_is_flattened_as_the_gateway_does_it(json: dict[str, Any]) -> None:
    assert Answer(json).row() == InclinationAnswer.model_validate(json).row()


def test_an_answer_has_units_and_what_it_is_made_of() -> None:
    answer = Answer(said(), "http://gateway")
    assert answer.inclination == 70.57 * u.deg
    assert list(answer.interval68) == list(answer.interval95) == list(answer.range) == [50 * u.deg, 70 * u.deg]
    assert (answer.mean, answer.stdev) == (60 * u.deg, 1 * u.deg)
    assert answer.flavors == {f"vgg6_m{bag}": 60 * u.deg for bag in range(4)}
    assert (answer.rejection, answer.rejection_face_on, answer.rejection_unsuitable) == (0.25, 0.2, 0.05)
    assert answer.below95 is None
    assert answer.warnings == ("One thing.", "And another.")
    assert (answer.release, answer.service) == ("2026.3", "http://gateway")
    assert answer.ellipticity is not None
    assert (answer.ellipticity.axis_ratio, answer.ellipticity.inclination) == (0.5, 65.2 * u.deg)
    assert answer.galaxy is not None
    assert (answer.galaxy.name, answer.galaxy.pgc, answer.galaxy.d25) == ("NGC 2557", 2557, 2.5 * u.arcmin)
    assert answer.galaxy.coordinates.ra.deg == pytest.approx(10.5)
    assert answer.galaxy.position_angle is None
    assert Answer(said(galaxy=None)).galaxy is None


def inclined(median: float, low: float, high: float, **changed: Any) -> Answer:
    json = said()
    json["inclination"] |= {"median_deg": median, "interval68_deg": {"low": low, "high": high}} | changed
    return Answer(json)


def test_the_number_has_as_many_digits_as_its_interval_warrants() -> None:
    assert repr(inclined(70.57, 68.6, 72.55)) == (
        "<Answer NGC 2557: 70.6 deg, 68 % within 68.6 to 72.5, release 2026.3>"
    )
    assert repr(inclined(70.57, 68.5, 72.5)) == "<Answer NGC 2557: 71 deg, 68 % within 68 to 72, release 2026.3>"
    assert inclined(70.57, 68.5, 72.5).inclination == 70.57 * u.deg, "the value keeps them"


def test_where_the_interval_reaches_face_on_the_bound_is_said() -> None:
    pytest.importorskip("matplotlib").use("Agg")
    from matplotlib import pyplot as plt  # after the backend is chosen

    answer = inclined(14.2, 6.1, 20.8, interval95_deg={"low": 0.0, "high": 28.7}, below95_deg=24.6)
    assert answer.below95 == 24.6 * u.deg
    assert answer.to_table()["below95_deg"][0] == 24.6 * u.deg
    assert repr(answer) == ("<Answer NGC 2557: 14 deg, 68 % within 6 to 21, below 25 deg (95 %), release 2026.3>")
    html = answer._repr_html_()
    assert "below 25 deg" in html
    assert "29" not in html, "the bound is in place of the interval"
    _, dots = answer.plot()
    assert dots.get_title() == "14 deg, below 25 deg (95 %)"
    wide: Any = dots.patches[0]
    assert (wide.get_x(), wide.get_x() + wide.get_width()) == pytest.approx((0.0, 24.6))
    plt.close("all")


@pytest.mark.parametrize(
    "path",
    [("inclination", "median_deg"), ("inclination", "interval68_deg"), ("release",)],
)
@pytest.mark.parametrize("value", [None, float("nan"), "soon"])
def test_what_is_no_answer_never_becomes_one(path: tuple[str, ...], value: object) -> None:
    json = copy.deepcopy(said())
    inner = json
    for name in path[:-1]:
        inner = inner[name]
    inner[path[-1]] = value
    if path == ("release",) and isinstance(value, str | float):
        assert Answer(json).release == str(value)
        return
    with pytest.raises((ValueError, TypeError, AttributeError)):
        Answer(json)


def test_an_answer_is_frozen() -> None:
    with pytest.raises(AttributeError):
        Answer(said()).service = "elsewhere"  # type: ignore[misc]  # what is tested


def test_a_table_of_answers_has_units_ucds_masks_and_where_it_is_from() -> None:
    table = tabulate([Answer(said(), "http://gateway"), Answer(said(galaxy=None), "http://gateway")])
    assert isinstance(table, QTable)
    assert table["inclination_deg"].unit == u.deg
    assert not hasattr(table["inclination_deg"], "mask"), "nothing is missing"
    assert list(table["ra_deg"].mask) == list(table["pgc"].mask) == [False, True]
    assert list(table["name"]) == ["NGC 2557", ""]
    assert table["d25_arcmin"].unit == u.arcmin
    assert table["inclination_deg"].info.meta["ucd"] == "src.orbital.inclination;meta.main"
    assert table["inclination_deg"].info.description == "Inclination: median of the ensemble"
    assert (table.meta["release"], table.meta["service"]) == ("2026.3", "http://gateway")
    assert table.meta["warnings"] == ["One thing.", "And another."] * 2


def png(side: int) -> str:
    import io

    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(np.zeros((side, side, 3), np.uint8)).save(buffer, "PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


def with_pictures(**pictures: str) -> Answer:
    frame = {"x": 256.0, "y": 128.0, "side": 256.0, "chosen_by": "service"}
    return Answer(said(image={"source": "upload", "width": 512, "height": 512, "frame": frame, **pictures}))


def test_the_ellipse_is_drawn_where_it_lies_on_the_picture_that_is_shown() -> None:
    pytest.importorskip("matplotlib").use("Agg")
    from matplotlib import pyplot as plt  # after the backend is chosen

    for answer, middle, width in (
        (with_pictures(cutout=png(512), model_input=png(128)), (256, 128), 2 * 0.2 * 512),
        # the networks saw a square of 256 pixels about the galaxy, on 128
        (with_pictures(model_input=png(128)), (64, 64), 2 * 0.2 * 512 / 2),
    ):
        picture, dots = answer.plot()
        ellipse: Any = picture.patches[0]
        assert ellipse.get_center() == pytest.approx(middle)
        assert (ellipse.get_width(), ellipse.get_angle()) == pytest.approx((width, -30))
        assert dots.get_title() == "71 deg"
        assert dots.get_xlim() == (0, 90)
        plt.close("all")


def test_a_notebook_shows_the_answer_and_asks_nobody_for_it() -> None:
    json = said(warnings=["<script>alert(1)</script>"])
    json["galaxy"]["name"] = "<b>NGC"
    html = Answer(json)._repr_html_()
    assert "71 deg" in html
    assert "0.25: too face-on 0.20, unsuitable 0.05" in html
    assert "&lt;script&gt;" in html
    assert "<script>" not in html
    assert "<b>" not in html
    assert "<img" not in html
    shown = with_pictures(model_input=png(128))._repr_html_()
    assert 'src="data:image/png;base64,' in shown
    assert "translate(64.00 64.00) rotate(-30.00)" in shown
    assert "http" not in shown
