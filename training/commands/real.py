"""Commands for real galaxies: ``labels`` from people's measurements, ``download`` of pictures."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - the command line is made from the annotations
from typing import TYPE_CHECKING, Annotated, Any

import typer

from training.commands.common import Seed, console, give_up
from training.files import write_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from training.data.label_tables import CatalogueFacts, LabelTable, Measurement
    from training.data.labels import Label

_REASONS = ("face_on", "unsuitable", "rejected")


def labels(
    table: Annotated[
        list[str], typer.Option(help="file or URL of measurements or final inclinations; may be repeated")
    ],
    out: Annotated[Path, typer.Option(help="the CSV to write; its statistics go beside it as .json")],
    catalogue: Annotated[list[str] | None, typer.Option(help="file or URL with ra, dec, d25, pa of galaxies")] = None,
    files: Annotated[
        str, typer.Option(help="name of a galaxy's picture, with {pgc} or {galaxy}; else what the table says")
    ] = "",
    images: Annotated[Path | None, typer.Option(help="keep only galaxies whose picture is in this folder")] = None,
    least: Annotated[int, typer.Option(help="how many people must have judged a galaxy", min=1)] = 3,
    seed: Seed = 1,
    contact: Annotated[str, typer.Option(help="mail address or URL for the operators of the archives")] = "",
) -> None:
    """Make labels of what people measured: the median of at least three, rejections with their reason.

    Several tables of measurements are taken together; how two random halves of the people differ is measured. A table
    of final inclinations (Cosmicflows-4) is taken at its word. The result is read by evaluate, release and download.
    """
    from training.data import labels as making

    bare = files.replace("{pgc}", "").replace("{galaxy}", "")
    if files and (bare == files or "{" in bare):
        give_up(f"--files is {files!r}; it names a picture, with {{pgc}} or {{galaxy}} in it and no other braces.")
    tables = [_table(source, contact) for source in table]
    if len({one.kind for one in tables}) > 1:
        give_up("The tables are of two kinds, measurements and final inclinations: take them one kind at a time.")
    measurements: tuple[Measurement, ...] = tuple(m for one in tables for m in one.measurements)
    if measurements:
        found, too_few = making.combine(measurements, least=least)
    else:
        found, too_few = making.published((f for one in tables for f in one.finals), least=least)
    shown = making.about_pictures(found)
    names = {number: name for one in tables for number, name in one.names.items()}
    own_files = {number: file for one in tables for number, file in one.files.items()}

    def file_of(number: int) -> str:
        if not files and own_files.get(number):
            return own_files[number]
        if number < 0 and "{galaxy}" not in files:
            give_up(f"{names[number]} has no PGC number: --files needs {{galaxy}}, or the table a column file.")
        pattern = files or "pgc{pgc}_sdss.jpg"
        return pattern.replace("{pgc}", str(number)).replace("{galaxy}", names.get(number) or f"pgc{number}")

    kept = [one for one in shown if images is None or (images / file_of(one.pgc)).is_file()]
    report: dict[str, Any] = {
        **_counted(kept),
        "too_few_people": too_few,
        "rejected_elsewhere": len(found) - len(shown),
        "without_picture": len(shown) - len(kept),
        "lines_skipped": sum(one.skipped for one in tables),
    }
    if measurements:
        report["measurements"] = len(measurements)
        report["people"] = len({m.person for m in measurements})
        scatter = making.two_groups(measurements, seed=seed)
        if scatter is not None:
            report["two_groups"] = {
                "rms_deg": scatter.rms_deg,
                "spread_deg": scatter.spread_deg,
                "galaxies": scatter.galaxies,
            }
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        making.write(out, kept, _facts(tables, catalogue, contact), names, file_of)
        write_json(out.with_suffix(".json"), report)
    except OSError as error:
        give_up(f"{out} can't be written: {error.strerror}.")
    _say_labels(report, out)


def _source(source: str, contact: str) -> str:
    from training.data.download import fetch

    try:
        return fetch.text_of(source, contact=contact)
    except fetch.FetchError as error:
        give_up(str(error))


def _table(source: str, contact: str) -> LabelTable:
    from training.data.dataset import TableFault
    from training.data.label_tables import parse

    try:
        return parse(_source(source, contact), source)
    except TableFault as error:
        give_up(str(error))


def _facts(tables: Sequence[LabelTable], catalogue: Sequence[str] | None, contact: str) -> dict[int, CatalogueFacts]:
    from training.data.dataset import TableFault
    from training.data.label_tables import parse_facts

    facts: dict[int, CatalogueFacts] = {}
    for one in tables:
        facts |= one.facts
    for source in catalogue or ():
        try:
            facts |= parse_facts(_source(source, contact), source)
        except TableFault as error:
            give_up(str(error))
    return facts


def _counted(kept: Sequence[Label]) -> dict[str, Any]:
    reasons = [one.reject for one in kept if one.reject]
    return {
        "measured": len(kept) - len(reasons),
        "rejected": {reason: reasons.count(reason) for reason in _REASONS if reason in reasons},
    }


def _say_labels(report: dict[str, Any], out: Path) -> None:
    rejected = ", ".join(f"{count} {reason}" for reason, count in report["rejected"].items()) or "none"
    console.print(f"{report['measured']} galaxies measured, rejected: {rejected}; in {out}", highlight=False)
    left_out = {
        "too_few_people": "judged by too few people",
        "rejected_elsewhere": "rejected for what their pictures do not show",
        "without_picture": "without a picture",
        "lines_skipped": "lines without a galaxy or an inclination, or that do not count",
    }
    for key, words in left_out.items():
        if report[key]:
            console.print(f"left out: {report[key]} {words}", highlight=False)
    if groups := report.get("two_groups"):
        console.print(
            f"two random halves of {report['people']} people differ by {groups['rms_deg']:.2f} ± "
            f"{groups['spread_deg']:.2f} deg rms on {groups['galaxies']:.0f} galaxies",
            highlight=False,
        )


def download(
    table: Annotated[str, typer.Option(help="file or URL: pgc, ra, dec (deg), d25 (arcmin), optionally pa (deg)")],
    out: Annotated[Path, typer.Option(help="folder for the pictures and download.csv; interrupted, it goes on there")],
    cutouts: Annotated[bool, typer.Option(help="the survey's own colour pictures")] = True,
    exposures: Annotated[bool, typer.Option(help="pictures made of calibrated exposures: gri, g, r, i")] = True,
    field_in_d25: Annotated[float, typer.Option(help="side of the field in diameters", min=0.5, max=10)] = 1.5,
    side: Annotated[int, typer.Option(help="pixels of the pictures made of exposures", min=64, max=2048)] = 256,
    runs: Annotated[int, typer.Option(help="observations of the same sky to average, at most", min=1)] = 4,
    keep_frames: Annotated[bool, typer.Option("--keep-frames", help="keep the frames, 3 MB each")] = False,
    again: Annotated[bool, typer.Option("--again", help="ask again for what is known not to be there")] = False,
    at_once: Annotated[int, typer.Option(help="galaxies and frames asked for at once", min=1, max=8)] = 2,
    patience: Annotated[float, typer.Option(help="seconds to wait for an archive that is down, twice", min=0)] = 60.0,
    contact: Annotated[str, typer.Option(help="mail address or URL for the operators of the archives")] = "",
    cutout_url: Annotated[str, typer.Option(help="another SkyServer's getjpeg")] = "",
    search_url: Annotated[str, typer.Option(help="another SkyServer's SqlSearch")] = "",
    frame_url: Annotated[str, typer.Option(help="another archive's frames")] = "",
) -> None:
    """Download SDSS pictures of galaxies: colour cutouts, and calibrated exposures found, resampled and averaged."""
    from batch.errors import BatchError
    from training.data.download import run as downloading
    from training.data.download.sources import Sources, Wanted

    targets, unknown = downloading.galaxies(_facts((), [table], contact))
    if unknown:
        console.print(f"{unknown} galaxies without position or size are left out", highlight=False)
    if not targets:
        give_up(f"{table} has no galaxy with ra, dec and d25.")
    usual = Sources()
    sources = Sources(
        contact=contact,
        frames_at_once=at_once,
        patience_s=patience,
        cutout_urls=(cutout_url,) if cutout_url else usual.cutout_urls,
        search_urls=(search_url,) if search_url else usual.search_urls,
        frame_urls=(frame_url,) if frame_url else usual.frame_urls,
    )
    wanted = Wanted(
        cutouts=cutouts,
        exposures=exposures,
        field_in_d25=field_in_d25,
        side=side,
        runs=runs,
        keep_frames=keep_frames,
    )
    try:
        summary = downloading.download(out, targets, sources, wanted, console, again=again)
    except BatchError as error:
        give_up(str(error))
    except OSError as error:
        give_up(f"{error.filename or out} can't be read or written: {error.strerror}.")
    except KeyboardInterrupt:
        give_up("Interrupted; the same command goes on from here.")
    done, problems = summary.tally.answered, summary.tally.rows - summary.tally.answered
    console.print(f"{done} done, {problems} with a problem: see {out / 'download.csv'}", highlight=False)
