"""A disk that is full, over quota, read-only or broken at any write: told, nothing half done, no word lost.

`benchmarks/campaigns.py disk-full` lets every call fail that writes; here a few, and the real thing: a file system of a
few megabytes, and one that is mounted read-only (both need root).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mlbench.journal import replay
from mlbench.main import run
from mlbench.paths import find_home
from tests.reliability.filling import in_own_process
from tests.reliability.trees import Tree

Run = Callable[..., tuple[int, str]]


@pytest.mark.slow
def test_whichever_write_fails_it_is_told_and_nothing_is_lost_or_half_there(tmp_path: Path) -> None:
    failures = in_own_process(tmp_path, 12, seed=3, minutes=5)
    if failures is None:
        pytest.skip("failing calls need Linux and a C compiler")

    assert failures.n_points > 200
    assert failures.n_failed == 12
    assert failures.talk == []
    assert (failures.n_untold, failures.n_lost, failures.n_silent, failures.n_differing) == (0, 0, 0, 0)


@pytest.fixture
def mlbench(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.delenv("MLBENCH_TRACEBACK", raising=False)

    def call(home: Path, *words: str) -> tuple[int, str]:
        capsys.readouterr()
        code = run(["--home", str(home), *words])
        return code, capsys.readouterr().err

    return call


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of six megabytes."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = shutil.which("mount")
    command = [str(mount), "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(place)]
    if mount is None or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("mounting a file system needs Linux and root")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def fill(place: Path) -> None:
    """Leave no byte free."""
    with (place / "filler").open("wb", buffering=0) as file:
        for size in (1 << 16, 4096, 1):
            try:
                while file.write(b"x" * size):
                    pass
            except OSError:
                continue


def test_on_a_full_disk_words_are_refused_and_taken_when_there_is_room(
    small_disk: Path, tmp_path: Path, mlbench: Run
) -> None:
    tree, home = Tree(tmp_path / "logs"), small_disk / "home"
    tree.make()
    assert mlbench(home, "ingest", str(tree.folder))[0] == 0
    assert mlbench(home, "tag", "run1", "+before")[0] == 0
    fill(small_disk)
    tree.grow()

    refused = [mlbench(home, *words) for words in (["tag", "run1", "+full"], ["note", "run1", "full"])]
    ingested = mlbench(home, "ingest", str(tree.folder))
    looked = mlbench(home, "query", "tag = before")
    (small_disk / "filler").unlink()
    after = [mlbench(home, *words) for words in (["tag", "run1", "+after"], ["ingest", str(tree.folder)])]

    assert [code for code, _err in [*refused, ingested]] == [3, 3, 3]
    assert all("No space left on device" in err and "Traceback" not in err for _code, err in [*refused, ingested])
    assert "not saved" in refused[0][1]
    assert looked[0] == 0
    assert [code for code, _err in after] == [0, 0]
    assert set(replay(find_home(str(home))).tags[str(tree.folder / "run1")]) == {"before", "after"}


def test_a_home_that_is_mounted_read_only_is_read_and_refuses_words(
    small_disk: Path, tmp_path: Path, mlbench: Run
) -> None:
    tree, home = Tree(tmp_path / "logs"), small_disk / "home"
    tree.make()
    mlbench(home, "ingest", str(tree.folder))
    mlbench(home, "tag", "run1", "+before")
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)

    looked = mlbench(home, "query", "tag = before")
    refused = [mlbench(home, *words) for words in (["tag", "run1", "+no"], ["ingest", str(tree.folder)], ["rebuild"])]

    assert looked == (0, "")
    assert [code for code, _err in refused] == [3, 3, 3]
    assert all("Read-only file system" in err and "Traceback" not in err for _code, err in refused)


def test_a_disk_that_fills_during_an_export_leaves_the_old_file(small_disk: Path, tmp_path: Path, mlbench: Run) -> None:
    tree, home, table = Tree(tmp_path / "logs"), tmp_path / "home", small_disk / "out.csv"
    tree.make()
    mlbench(home, "ingest", str(tree.folder))
    table.write_text("old")
    fill(small_disk)

    code, err = mlbench(home, "export", "series", "-o", str(table))

    assert code == 3
    assert "cannot be written: No space left on device" in err
    assert table.read_text() == "old"
    assert sorted(os.listdir(small_disk)) == ["filler", "out.csv"]


def test_a_workbench_in_another_process_goes_on_when_the_cache_is_deleted_under_it(
    tmp_path: Path, mlbench: Run
) -> None:
    from mlbench.catalog.reader import open_reader
    from mlbench.catalog.writer import open_writer

    tree, home = Tree(tmp_path / "logs"), tmp_path / "home"
    tree.make()
    mlbench(home, "ingest", str(tree.folder))
    mlbench(home, "tag", "run1", "+kept")
    place = find_home(str(home))

    with open_reader(place) as reader, open_writer(place):
        shutil.rmtree(home / "cache")
        n_runs = reader.rows("SELECT count(*) FROM runs")
        empty = mlbench(home, "query")
    again = mlbench(home, "ingest", str(tree.folder))
    found = mlbench(home, "query", "tag = kept")

    assert n_runs == [(3,)]
    assert (empty[0], again[0], found[0]) == (0, 0, 0)
    assert sys.getsizeof(found[1]) < 200


def test_a_write_that_fails_anywhere_in_the_writer_is_told_as_what_it_is(tmp_path: Path) -> None:
    import duckdb

    from mlbench.catalog.writer import open_writer
    from mlbench.errors import HomeError

    place = find_home(str(tmp_path / "home"))
    failed = "Failed to commit: Could not write file 'work.duckdb.wal': Input/output error"

    with pytest.raises(HomeError, match="cannot be written: Input/output error"), open_writer(place):
        raise duckdb.TransactionException(failed)
