"""Several trainings in one folder: one after another is a restart, at the same time they are said to be mixed."""

from __future__ import annotations

from pathlib import Path

from mlbench.catalog.reader import open_reader
from mlbench.ingest.run import ingest_paths
from mlbench.paths import Home
from tests.events import scalar_file

SAYING = "it was written at the same time as events.out.tfevents.1700000000.a, with the same metrics: several trainings"


def problems(home: Home, folder: Path) -> list[str]:
    ingest_paths(home, [str(folder)])
    with open_reader(home, now_s=1_800_000_000.0) as reader:
        return [str(what) for (what,) in reader.rows("SELECT what FROM problems ORDER BY path")]


def write(folder: Path, name: str, start_s: float, *, metric: str = "loss") -> None:
    points = [(step, 1.0 / (step + 1)) for step in range(20)]
    scalar_file(folder / f"events.out.tfevents.{name}", {metric: points}, start_s=start_s)


def test_two_that_wrote_at_the_same_time_are_said_to_be_mixed(home: Home, tmp_path: Path) -> None:
    write(tmp_path / "logs/a", "1700000000.a", 1_700_000_000.0)
    write(tmp_path / "logs/a", "1700000005.b", 1_700_000_005.0)

    first = problems(home, tmp_path / "logs")
    again = problems(home, tmp_path / "logs")

    assert len(first) == 1
    assert first[0].startswith(SAYING)
    assert again == first


def test_a_restart_is_no_mixing(home: Home, tmp_path: Path) -> None:
    write(tmp_path / "logs/a", "1700000000.a", 1_700_000_000.0)
    write(tmp_path / "logs/a", "1700000100.b", 1_700_000_100.0)

    assert problems(home, tmp_path / "logs") == []


def test_two_writers_of_one_training_with_metrics_of_their_own_are_no_mixing(home: Home, tmp_path: Path) -> None:
    write(tmp_path / "logs/a", "1700000000.a", 1_700_000_000.0)
    write(tmp_path / "logs/a", "1700000005.b", 1_700_000_005.0, metric="accuracy")

    assert problems(home, tmp_path / "logs") == []


def test_when_the_other_one_is_gone_nothing_is_mixed_any_more(home: Home, tmp_path: Path) -> None:
    write(tmp_path / "logs/a", "1700000000.a", 1_700_000_000.0)
    write(tmp_path / "logs/a", "1700000005.b", 1_700_000_005.0)
    before = problems(home, tmp_path / "logs")

    (tmp_path / "logs/a/events.out.tfevents.1700000000.a").unlink()

    assert len(before) == 1
    assert problems(home, tmp_path / "logs") == []
