"""Second records of one training in other places: hinted where their curves or their start say so."""

from __future__ import annotations

from pathlib import Path

from mlbench.catalog.reader import open_reader
from mlbench.ingest.run import ingest_paths
from mlbench.paths import Home
from tests.events import scalar_file
from tests.unit.adapters.reading import write

LOSSES = [1 / (1 + step * 0.37) for step in range(12)]


def events(folder: Path, losses: list[float], *, metric: str = "train/loss", first: int = 0) -> None:
    points = [(first + step, value) for step, value in enumerate(losses)]
    scalar_file(folder / "events.out.tfevents.1700000000.host", {metric: points})


def csv_log(folder: Path, losses: list[float], *, first: int = 1) -> None:
    lines = [f"{first + epoch},{value:.5f}" for epoch, value in enumerate(losses)]
    write(folder, {"results.csv": "\n".join(["epoch,train/loss", *lines]) + "\n"})


def hints(home: Home, folder: Path) -> dict[str, str]:
    ingest_paths(home, [str(folder)])
    with open_reader(home, now_s=1_800_000_000.0) as reader:
        return dict(reader.rows("SELECT name, hint FROM runs WHERE hint IS NOT NULL"))


def test_a_csv_elsewhere_with_the_same_curve_is_hinted_with_its_offset(home: Home, tmp_path: Path) -> None:
    csv_log(tmp_path / "logs/runs/train3", LOSSES)
    events(tmp_path / "logs/tb/a", LOSSES)

    assert hints(home, tmp_path / "logs") == {"tb/a": "perhaps the same as runs/train3, with steps 1 less"}


def test_other_curves_are_not_hinted(home: Home, tmp_path: Path) -> None:
    csv_log(tmp_path / "logs/runs/train3", LOSSES)
    events(tmp_path / "logs/tb/a", [value * 1.001 for value in LOSSES])

    assert hints(home, tmp_path / "logs") == {}


def test_a_short_curve_alone_is_no_evidence(home: Home, tmp_path: Path) -> None:
    csv_log(tmp_path / "logs/runs/train3", LOSSES[:5])
    events(tmp_path / "logs/tb/a", LOSSES[:5])

    assert hints(home, tmp_path / "logs") == {}


def test_a_curve_that_many_runs_have_is_no_evidence(home: Home, tmp_path: Path) -> None:
    csv_log(tmp_path / "logs/runs/train3", LOSSES)
    for number in range(8):
        events(tmp_path / f"logs/tb/{number}", LOSSES)

    assert [hint for hint in hints(home, tmp_path / "logs").values() if hint.startswith("perhaps")] == []


def test_in_one_folder_they_are_one_run(home: Home, tmp_path: Path) -> None:
    csv_log(tmp_path / "logs/train3", LOSSES)
    events(tmp_path / "logs/train3", LOSSES)

    assert hints(home, tmp_path / "logs") == {}
    with open_reader(home, now_s=1_800_000_000.0) as reader:
        assert reader.rows("SELECT count(*) FROM runs") == [(1,)]
