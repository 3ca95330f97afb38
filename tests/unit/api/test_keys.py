from __future__ import annotations

import hashlib
import hmac
import os
from typing import TYPE_CHECKING

import pytest

from gateway.api.keys import Keys, KeysError, make

if TYPE_CHECKING:
    from pathlib import Path


def file_of(folder: Path, *lines: str) -> Path:
    path = folder / "keys"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_a_key_is_let_in_by_its_name_and_nothing_else_is(tmp_path: Path) -> None:
    (one, line_one), (two, line_two) = make("survey"), make("wiki.bot-2")
    known = Keys(file_of(tmp_path, "# the survey's", line_one, "", f"{line_two}  # until June"))
    assert known.name_of(one) == "survey"
    assert known.name_of(two) == "wiki.bot-2"
    for wrong in ("", one[:-1], one + "=", one.upper(), line_one.partition(":")[2], "survey", "\udcff\x00"):
        assert known.name_of(wrong) is None


def test_keys_are_long_random_and_kept_as_a_hash_alone() -> None:
    made = [make("survey") for _ in range(50)]
    assert len({key for key, _ in made}) == 50
    for key, line in made:
        assert key.startswith("inclinet_")
        assert len(key) == len("inclinet_") + 43  # 256 bits, six a character
        assert line == f"survey:{hashlib.sha256(key.encode()).hexdigest()}"
        assert key not in line


def test_every_key_of_the_file_is_compared_however_early_one_fits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = [make(f"user{number}") for number in range(5)]
    known = Keys(file_of(tmp_path, *(line for _, line in made)))
    compared = []

    def counted(one: bytes, other: bytes) -> bool:
        compared.append((one, other))
        return one == other

    monkeypatch.setattr(hmac, "compare_digest", counted)
    assert known.name_of(made[0][0]) == "user0"
    assert len(compared) == 5


@pytest.mark.parametrize("name", ["", "-x", ".x", "a b", "a:b", "ü", "x" * 65, "a\nb"])
def test_names_that_would_not_fit_the_file_are_refused(name: str) -> None:
    with pytest.raises(KeysError, match="1 to 64 letters"):
        make(name)


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ((), "holds no key"),
        (("# none yet",), "holds no key"),
        (("survey",), "Line 1 of"),
        (("# fine", "survey:inclinet_the-key-itself"), "Line 2 of"),
        (("survey:" + "g" * 64,), "Line 1 of"),
        (("a b:" + "0" * 64,), "Line 1 of"),
    ],
)
def test_a_file_that_can_not_be_used_is_told_at_the_start_without_its_content(
    lines: tuple[str, ...], words: str, tmp_path: Path
) -> None:
    with pytest.raises(KeysError, match=words) as told:
        Keys(file_of(tmp_path, *lines))
    assert "the-key-itself" not in str(told.value)


def test_a_file_that_is_missing_or_no_text_is_told_too(tmp_path: Path) -> None:
    with pytest.raises(KeysError, match="No such file"):
        Keys(tmp_path / "missing")
    (tmp_path / "keys").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(KeysError, match="not text"):
        Keys(tmp_path / "keys")


def test_a_key_is_revoked_by_deleting_its_line_and_a_new_one_needs_no_restart(tmp_path: Path) -> None:
    (old, old_line), (new, new_line) = make("survey"), make("survey")
    known = Keys(file_of(tmp_path, old_line))
    file_of(tmp_path, old_line, new_line)
    assert known.name_of(old) == known.name_of(new) == "survey"
    file_of(tmp_path, new_line)
    assert known.name_of(old) is None
    assert known.name_of(new) == "survey"


def test_a_secret_that_is_mounted_anew_is_read_though_size_and_age_are_the_same(tmp_path: Path) -> None:
    (old, old_line), (new, new_line) = make("survey"), make("survey")
    path = file_of(tmp_path, old_line)
    known = Keys(path)
    stat = path.stat()
    other = tmp_path / "other"
    other.write_text(f"{new_line}\n", encoding="utf-8")
    os.utime(other, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    other.replace(path)
    assert path.stat().st_size == stat.st_size
    assert known.name_of(old) is None
    assert known.name_of(new) == "survey"


def test_a_file_damaged_while_running_changes_nothing_and_one_emptied_lets_nobody_in(tmp_path: Path) -> None:
    key, line = make("survey")
    path = file_of(tmp_path, line)
    known = Keys(path)
    file_of(tmp_path, line, "half a li")
    assert known.name_of(key) == "survey"
    path.unlink()
    assert known.name_of(key) == "survey"
    file_of(tmp_path, "# nobody")
    assert known.name_of(key) is None
