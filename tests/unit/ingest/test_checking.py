import os
from pathlib import Path

import pytest

from mlbench.errors import SourceError
from mlbench.ingest import checking
from mlbench.ingest.checking import Checked, Damage, check_paths
from mlbench.wire.tfrecord import write_record
from tests.events import scalar_file

NAME = "events.out.tfevents.1700000000.node1.4242.0"
RECORD = write_record(b"x" * 84)
"""100 bytes."""


def log(folder: Path, content: bytes, name: str = NAME) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_bytes(content)
    return path


def flipped(content: bytes, at: int) -> bytes:
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


def places(checked: Checked) -> list[tuple[str, int | None, int | None]]:
    return [(place.kind, place.offset, place.size_bytes) for place in checked.places]


def test_a_whole_tree_that_is_well_is_counted(tmp_path: Path) -> None:
    scalar_file(tmp_path / "a" / NAME, {"loss": [(1, 0.5), (2, 0.25)]})
    log(tmp_path / "b", RECORD * 2)
    log(tmp_path / "b", b"no log", name="notes.txt")

    checked = check_paths([str(tmp_path)])

    assert (checked.n_total, checked.n_files, checked.n_records) == (2, 2, 5)
    assert checked.n_bytes == (tmp_path / "a" / NAME).stat().st_size + 200
    assert checked.places == []


def test_each_damaged_place_is_told_with_its_offset_and_size(tmp_path: Path) -> None:
    content = flipped(flipped(RECORD * 5, 120), 301)
    path = log(tmp_path, content)

    checked = check_paths([str(path)])

    assert places(checked) == [("payload", 100, 100), ("length", 300, 100)]
    assert {place.path for place in checked.places} == {str(path)}
    assert (checked.n_records, checked.n_damaged, checked.n_truncated) == (4, 2, 0)


@pytest.mark.parametrize("n_left", [1, 11, 12, 99])
def test_a_file_that_ends_within_a_record_is_no_damage(tmp_path: Path, n_left: int) -> None:
    log(tmp_path, (RECORD * 3)[: 200 + n_left])

    checked = check_paths([str(tmp_path)])

    assert places(checked) == [("truncated", 200, n_left)]
    assert (checked.n_records, checked.n_damaged, checked.n_truncated) == (2, 0, 1)


def test_a_record_that_was_written_over_before_it_was_finished_is_told(tmp_path: Path) -> None:
    log(tmp_path, RECORD + RECORD[:40] + RECORD * 2)

    checked = check_paths([str(tmp_path)])

    assert places(checked) == [("unfinished", 100, 40)]
    assert (checked.n_records, checked.n_damaged, checked.n_truncated) == (3, 1, 0)


def test_an_end_of_zeros_is_damage_up_to_the_end(tmp_path: Path) -> None:
    log(tmp_path, RECORD + bytes(3 << 20))

    checked = check_paths([str(tmp_path)])

    assert places(checked) == [("length", 100, 3 << 20)]


def test_what_cannot_be_read_is_told_and_the_rest_is_checked(tmp_path: Path) -> None:
    log(tmp_path / "a", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n")
    (tmp_path / "b").mkdir()
    os.mkfifo(tmp_path / "b" / NAME)
    log(tmp_path / "c", RECORD)

    checked = check_paths([str(tmp_path)])

    assert [(os.path.relpath(place.path, tmp_path), place.kind) for place in checked.places] == [
        (f"b/{NAME}", "unreadable"),
        (f"a/{NAME}", "unreadable"),
    ]
    assert (checked.n_records, checked.n_damaged) == (1, 2)


def test_a_file_that_is_named_is_checked_whatever_it_is_called(tmp_path: Path) -> None:
    path = log(tmp_path, flipped(RECORD, 50), name="copy.bin")

    assert places(check_paths([str(path)])) == [("payload", 0, 100)]
    assert check_paths([str(tmp_path)]).n_total == 0


def test_a_file_named_twice_is_checked_once(tmp_path: Path) -> None:
    path = log(tmp_path / "a", RECORD)
    (tmp_path / "link").symlink_to(tmp_path / "a")

    assert check_paths([str(tmp_path), str(path), str(tmp_path / "link")]).n_records == 1


def test_a_path_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no such file or directory"):
        check_paths([str(tmp_path / "nowhere")])


def test_endless_damage_is_counted_beyond_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "MAX_PLACES", 2)
    bad = flipped(RECORD, 50)
    path = log(tmp_path, bad * 5)

    checked = check_paths([str(path)])

    assert places(checked) == [("payload", 0, 100), ("payload", 100, 100), ("more", 200, None)]
    assert checked.places[-1] == Damage(
        str(path), "more", 200, None, "from here on 3 more damaged places are not listed"
    )
    assert checked.n_damaged == 5


def test_progress_is_told_within_a_large_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "_RECORDS_BETWEEN", 2)
    log(tmp_path, RECORD * 5)
    told: list[tuple[int, int]] = []

    check_paths([str(tmp_path)], on_progress=lambda checked: told.append((checked.n_files, checked.n_bytes)))

    assert told == [(0, 100), (0, 300), (1, 500)]


def test_nothing_is_written(tmp_path: Path) -> None:
    path = log(tmp_path, flipped(RECORD * 3, 120))
    before = (path.read_bytes(), path.stat().st_mtime_ns, sorted(os.listdir(tmp_path)))

    check_paths([str(tmp_path)])

    assert (path.read_bytes(), path.stat().st_mtime_ns, sorted(os.listdir(tmp_path))) == before
