"""Masks and weights in files of their own go with the images that they are called after, and are none themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from astropy.io import fits

from batch.imaging import imaging
from batch.imaging.companions import companions
from tests.support.imaging import plane, tile
from tests.support.two_tiles import DEC_DEG, DISCS, RA_DEG, SHAPE
from tests.unit.batch.imaging.test_batch_cutter import line, measured

if TYPE_CHECKING:
    from pathlib import Path

LEGACY = "/dr10/coadd/000/0001p000/legacysurvey-0001p000"
STACK = "s3://ps1/rings.v3.skycell.1403.076.stk"


@pytest.mark.parametrize(
    ("images", "masks", "weights", "others"),
    [
        (
            [f"{LEGACY}-image-{band}.fits.fz" for band in "grz"],
            {f"{LEGACY}-maskbits.fits.fz": [0, 1, 2]},
            {f"{LEGACY}-invvar-{band}.fits.fz": [at] for at, band in enumerate("grz")},
            [f"{LEGACY}-{kind}-g.fits.fz" for kind in ("nexp", "chi2", "model", "depth", "psfsize")],
        ),
        (
            [f"{STACK}.g.unconv.fits", f"{STACK}.r.unconv.fits"],
            {f"{STACK}.{band}.unconv.mask.fits": [at] for at, band in enumerate("gr")},
            {},
            [f"{STACK}.g.unconv.wt.fits", f"{STACK}.g.unconv.exp.fits", f"{STACK}.g.unconv.num.fits"],
        ),
        (["/a/field_g_sci.fits", "/b/field_g_sci.fits"], {}, {"/a/field_g_weight.fits": [0]}, []),
        # nothing says that these belong to an image: they are images
        (["/a/sky-g.fits", "/a/model.fits", "/a/unmasked.fits"], {}, {}, []),
        (["/a/g.fits"], {}, {}, ["/a/r.mask.fits"]),
    ],
)
def test_what_belongs_to_an_image_is_told_by_the_names(
    images: list[str], masks: dict[str, list[int]], weights: dict[str, list[int]], others: list[str]
) -> None:
    found = companions([*others, *masks, *images, *weights])
    assert found.aside == {*masks, *weights, *others}
    for role, files in (("mask", masks), ("weight", weights)):
        expected = {images[at]: file for file, owners in files.items() for at in owners}
        assert {image: its[role] for image, its in found.of.items() if role in its} == expected


async def test_what_a_mask_or_weights_beside_an_image_leave_out_is_not_seen(tmp_path: Path) -> None:
    wcs, hole = plane(RA_DEG, DEC_DEG, SHAPE), (slice(230, 240), slice(180, 190))
    for folder in ("clean", "masked", "weighted"):
        (tmp_path / folder / "tiles").mkdir(parents=True)
        for seed, band in enumerate("gr"):
            hdus = tile(DISCS, wcs, SHAPE, band=band, seed=seed)
            hdus[0].data[hole] = 5.0 if folder == "clean" else 9999.0
            hdus.writeto(tmp_path / folder / "tiles" / f"a-image-{band}.fits")
            weight = np.ones(SHAPE, np.float32)
            weight[hole] = 0
            if folder == "weighted":
                fits.PrimaryHDU(weight, hdus[0].header).writeto(tmp_path / folder / "tiles" / f"a-invvar-{band}.fits")
        if folder == "masked":
            unit = fits.CompImageHDU((weight == 0).astype(np.int32) << 5, wcs.to_header())
            unit.header.update({"MBIT_5": "ALLMASK_G", "MBIT_6": "ALLMASK_R"})
            unit.data[hole] |= 1 << 6
            unit.writeto(tmp_path / folder / "tiles" / "a-maskbits.fits.fz")
    said: list[str] = []
    inclinations = []
    for folder in ("clean", "masked", "weighted"):
        sky = imaging.find(str(tmp_path / folder / "tiles"), str(tmp_path / folder / "index"), (), said.append)
        assert said[-1] == "Images of the sky: 1 in r, 1 in g."
        (row,) = await measured([line(0)], sky.index, tmp_path / folder)
        assert row["problem"] is None
        inclinations.append(row["inclination_deg"])
    # the mean of the picture's pixels, see test_batch_cutter
    assert inclinations == pytest.approx([inclinations[0]] * 3, abs=0.02)
    assert "By their names 1 more are masks, weights and the like of these." in said
    (tmp_path / "masked" / "tiles" / "a-maskbits.fits.fz").unlink()
    (tmp_path / "gone").mkdir()
    (row,) = await measured([line(0)], tmp_path / "masked" / "index" / imaging.INDEX, tmp_path / "gone")
    assert row["problem"].endswith("a-maskbits.fits.fz.")
