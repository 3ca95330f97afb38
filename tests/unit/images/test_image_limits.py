from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core import errors
from gateway.core.models import Deadline
from gateway.core.resources import memory_bytes, processors
from gateway.images.decode import decode
from gateway.images.limits import WORKING_SIDE, Memory, Share
from gateway.images.reduce import block_means, block_side
from tests.support.odd_pictures import strip
from tests.support.pictures import disc, encoded

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(("width", "height"), [(32, 60_000), (60_000, 32), (16, 273)])
def test_a_strip_is_refused_from_its_header(width: int, height: int) -> None:
    with pytest.raises(errors.BadImage, match="at most 16 times the shorter"):
        decode(strip(width, height, "GIF" if height == 60_000 else "PNG"))


def test_a_panorama_is_read_and_its_longer_side_is_reduced() -> None:
    picture = decode(strip(8000, 600))
    assert (picture.width, picture.height) == (8000, 600)
    assert picture.rgb.shape[:2] == (150, 2000)


@given(st.integers(1, 100_000), st.integers(1, 100_000))
def test_no_side_of_a_reduced_picture_is_longer_than_the_working_one(width: int, height: int) -> None:
    side = block_side(width, height)
    assert -(-max(width, height) // side) <= WORKING_SIDE
    assert side == 1 or -(-max(width, height) // (side - 1)) > WORKING_SIDE


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 7), st.integers(0, 2**32))
def test_block_means_are_the_means_of_what_is_finite(height: int, width: int, side: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    samples = rng.normal(1000, 10, (height, width, 2)).astype(np.float32)
    samples[rng.random(samples.shape) < 0.3] = np.nan
    means = block_means(samples, side)
    for row in range(means.shape[0]):
        for column in range(means.shape[1]):
            block = samples[row * side : (row + 1) * side, column * side : (column + 1) * side].reshape(-1, 2)
            for plane in range(2):
                known = block[:, plane][np.isfinite(block[:, plane])]
                expected = known.mean(dtype=float) if known.size else np.nan
                assert means[row, column, plane] == pytest.approx(expected, rel=1e-5, nan_ok=True)


def test_a_block_of_saturated_pixels_only_stays_saturated() -> None:
    samples = np.full((4, 4, 1), np.nan)
    samples[:2, :2] = np.inf
    samples[2, 2] = 7
    assert np.array_equal(block_means(samples, 2)[..., 0], [[np.inf, np.nan], [np.nan, 7]], equal_nan=True)


def test_transparent_pixels_do_not_darken_what_they_are_reduced_with() -> None:
    pixels = np.zeros((4096, 64 * 5, 4), np.uint8)
    pixels[::2] = [200, 100, 50, 255]
    pixels[:1024] = [90, 90, 90, 255]
    picture = decode(encoded(pixels, "PNG", compress_level=1))
    assert picture.rgb.shape[:2] == (2048, 160)
    assert picture.rgb[1500, 80, 0] == pytest.approx((200 + 90) / 2, abs=1)  # half of it is sky, which is 90


def test_one_image_never_gets_more_than_its_share() -> None:
    with Share(Memory(1000, each=400)) as share, pytest.raises(errors.ImageTooLarge, match="interlaced PNG"):
        share.ask(401, "interlaced PNG")


def test_decoders_wait_for_memory_and_none_waits_for_ever() -> None:
    memory = Memory(1000, each=600)
    most, done = [], []

    def decoder(size: int) -> None:
        for _ in range(50):
            with Share(memory) as share:
                share.ask(size, "image")
                most.append(memory.held)
                share.ask(size // 2, "image")  # such as the next candidate of a FITS file
        done.append(size)

    threads = [threading.Thread(target=decoder, args=(size,)) for size in (600, 500, 400, 300, 600)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(done) == len(threads)
    assert max(most) <= 1000
    assert memory.held == 0


def test_waiting_for_memory_ends_with_the_request_s_deadline() -> None:
    memory = Memory(1000)
    with Share(memory) as first, Share(memory, Deadline.after(0.01)) as second:
        first.ask(900, "image")
        with pytest.raises(errors.DeadlineExceeded):
            second.ask(200, "image")
    assert memory.held == 0


def test_a_decoder_that_fails_gives_its_memory_back() -> None:
    memory = Memory(100_000_000)
    with pytest.raises(errors.BadImage, match="one colour"):
        decode(encoded(np.zeros((64, 64), np.uint8), "PNG"), memory=memory)
    assert memory.held == 0


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"cpu.max": "150000 100000\n"}, 2),
        ({"cpu.max": "50000 100000\n"}, 1),
        ({"cpu.max": "max 100000\n"}, None),
        ({"cpu/cpu.cfs_quota_us": "100000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 1),
        ({"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, None),
        ({"pod/cpu.max": "20000 100000\n"}, 1),
        ({}, None),
    ],
)
def test_processors_are_those_of_the_container(tmp_path: Path, files: dict[str, str], expected: int | None) -> None:
    root, own = written(tmp_path, files)
    everything = processors(tmp_path / "nothing", tmp_path / "nothing")
    assert processors(root, own) == min(expected or everything, everything)


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"memory.max": "1000000\n"}, 1_000_000),
        ({"memory.max": "max\n"}, None),
        ({"memory/memory.limit_in_bytes": "2000000\n"}, 2_000_000),
        ({"memory/memory.limit_in_bytes": "9223372036854771712\n"}, None),
        ({"memory.max": "max\n", "pod/memory.max": "3000000\n"}, 3_000_000),
        ({"memory.max": "garbage\n"}, None),
    ],
)
def test_memory_is_that_of_the_container(tmp_path: Path, files: dict[str, str], expected: int | None) -> None:
    root, own = written(tmp_path, files)
    machine = memory_bytes(tmp_path / "nothing", tmp_path / "nothing")
    assert memory_bytes(root, own) == (expected or machine)


def written(tmp_path: Path, files: dict[str, str]) -> tuple[Path, Path]:
    root, own = tmp_path / "cgroup", tmp_path / "own"
    root.mkdir()
    own.write_text("0::/pod/container\n4:memory:/pod/container\n")
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root, own


def test_a_picture_that_needs_no_reduction_is_read_as_it_is() -> None:
    pixels = disc(300, width=200)
    assert np.array_equal(decode(encoded(pixels, "PNG")).rgb, pixels)
