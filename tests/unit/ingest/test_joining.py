"""Records of one training by two loggers in sibling folders: one run where paths, parameters and curves all say so."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mlbench import journal
from mlbench.catalog.reader import open_reader
from mlbench.ingest.joining import Curves, n_proofs
from mlbench.ingest.run import ingest_paths
from mlbench.journal.entries import RunRef
from mlbench.paths import Home
from mlbench.watch import Watcher
from tests.events import scalar_file
from tests.unit.adapters.reading import write

LOSSES = [float(np.float32(1 / (1 + step * 0.37))) for step in range(12)]
HPARAMS = "learning_rate: 0.1\nwidth: 8\n"


def events(folder: Path, losses: list[float], *, hparams: str | None = HPARAMS) -> None:
    scalar_file(folder / "events.out.tfevents.1700000000.host", {"loss": list(enumerate(losses))})
    if hparams is not None:
        write(folder, {"hparams.yaml": hparams})


def table(folder: Path, losses: list[float], *, hparams: str | None = HPARAMS, first: int = 0) -> None:
    lines = [f"0,{first + step},{value!r}" for step, value in enumerate(losses)]
    write(folder, {"metrics.csv": "\n".join(["epoch,step,loss", *lines]) + "\n"})
    if hparams is not None:
        write(folder, {"hparams.yaml": hparams})


def runs(home: Home, folder: Path) -> list[tuple[str, str, str | None]]:
    """Name, adapters and hint of each run."""
    ingest_paths(home, [str(folder)])
    return shown(home)


def shown(home: Home) -> list[tuple[str, str, str | None]]:
    with open_reader(home, now_s=1_800_000_000.0) as reader:
        return reader.rows("SELECT name, adapters, hint FROM runs ORDER BY name")


def test_two_loggers_of_one_training_are_one_run(home: Home, tmp_path: Path) -> None:
    for version in (0, 1):
        losses = [value * (1 + version) for value in LOSSES]
        events(tmp_path / f"logs/tb/exp/version_{version}", losses)
        table(tmp_path / f"logs/csv/exp/version_{version}", losses)

    assert runs(home, tmp_path / "logs") == [
        ("tb/exp/version_0", "config,csv,tensorboard", None), ("tb/exp/version_1", "config,csv,tensorboard", None),
    ]  # fmt: skip


def test_joined_runs_are_known_again_without_being_read(home: Home, tmp_path: Path) -> None:
    events(tmp_path / "logs/tb/exp/version_0", LOSSES)
    table(tmp_path / "logs/csv/exp/version_0", LOSSES)
    ingest_paths(home, [str(tmp_path / "logs")])

    again = ingest_paths(home, [str(tmp_path / "logs")])

    assert (again.n_runs, again.n_read, again.n_changed) == (1, 0, 0)


def test_both_files_are_told_as_sources(home: Home, tmp_path: Path) -> None:
    events(tmp_path / "logs/tb/exp/version_0", LOSSES)
    table(tmp_path / "logs/csv/exp/version_0", LOSSES)
    ingest_paths(home, [str(tmp_path / "logs")])

    with open_reader(home, now_s=1_800_000_000.0) as reader:
        paths = reader.rows("SELECT path FROM sources WHERE len(run_ids) = 1 AND role <> 'dump' ORDER BY path")

    assert [Path(path).name for (path,) in paths] == ["metrics.csv", "events.out.tfevents.1700000000.host"]


def test_one_value_that_differs_leaves_two_runs_with_a_hint(home: Home, tmp_path: Path) -> None:
    events(tmp_path / "logs/tb/exp/version_0", LOSSES)
    table(tmp_path / "logs/csv/exp/version_0", [*LOSSES[:5], LOSSES[5] * 1.000001, *LOSSES[6:]])

    assert runs(home, tmp_path / "logs") == [
        ("csv/exp/version_0", "config,csv", None),
        ("tb/exp/version_0", "config,tensorboard", "perhaps the same as csv/exp/version_0"),
    ]


def test_other_parameters_leave_two_runs(home: Home, tmp_path: Path) -> None:
    events(tmp_path / "logs/tb/exp/version_0", LOSSES)
    table(tmp_path / "logs/csv/exp/version_0", LOSSES, hparams="learning_rate: 0.2\n")

    assert len(runs(home, tmp_path / "logs")) == 2


def test_other_versions_leave_two_runs(home: Home, tmp_path: Path) -> None:
    events(tmp_path / "logs/tb/exp/version_0", LOSSES)
    table(tmp_path / "logs/csv/exp/version_1", LOSSES)

    assert len(runs(home, tmp_path / "logs")) == 2


def test_a_second_table_leaves_it_open_whose_record_the_events_are(home: Home, tmp_path: Path) -> None:
    events(tmp_path / "logs/tb/exp/version_0", LOSSES)
    table(tmp_path / "logs/csv/exp/version_0", LOSSES)
    table(tmp_path / "logs/csv2/exp/version_0", LOSSES)

    assert len(runs(home, tmp_path / "logs")) == 3


@pytest.mark.parametrize(("n_points", "n_runs"), [(12, 1), (9, 2)])
@pytest.mark.parametrize("hparams", [None, "{}\n"])
def test_without_parameters_more_points_are_asked_for(
    home: Home, tmp_path: Path, hparams: str | None, n_points: int, n_runs: int
) -> None:
    events(tmp_path / "logs/tb/exp/version_0", LOSSES[:n_points], hparams=hparams)
    table(tmp_path / "logs/csv/exp/version_0", LOSSES[:n_points], hparams=hparams)

    assert len(runs(home, tmp_path / "logs")) == n_runs


def test_they_part_again_when_one_of_them_is_written_anew(home: Home, tmp_path: Path) -> None:
    events(tmp_path / "logs/tb/exp/version_0", LOSSES)
    table(tmp_path / "logs/csv/exp/version_0", LOSSES)
    before = runs(home, tmp_path / "logs")

    table(tmp_path / "logs/csv/exp/version_0", [value * 2 for value in LOSSES])

    assert [name for name, _adapters, _hint in before] == ["tb/exp/version_0"]
    assert [name for name, _adapters, _hint in runs(home, tmp_path / "logs")] == [
        "csv/exp/version_0", "tb/exp/version_0",
    ]  # fmt: skip


def test_a_joined_run_is_followed_as_one(home: Home, tmp_path: Path) -> None:
    events(tmp_path / "logs/tb/exp/version_0", LOSSES)
    table(tmp_path / "logs/csv/exp/version_0", LOSSES[:8])
    watcher = Watcher(home, [str(tmp_path / "logs")])
    watcher.look()

    table(tmp_path / "logs/csv/exp/version_0", LOSSES)
    watcher.look()

    assert [name for name, _adapters, _hint in shown(home)] == ["tb/exp/version_0"]
    with open_reader(home, now_s=1_800_000_000.0) as reader:
        assert reader.rows("SELECT n FROM series WHERE metric = 'loss'") == [(12,), (12,)]


def curves(**values: list[float]) -> Curves:
    return {name: (np.arange(len(of)), np.array(of)) for name, of in values.items()}


def later(offset: int, found: Curves) -> Curves:
    return {name: (steps + offset, values) for name, (steps, values) in found.items()}


def test_steps_may_be_off_by_one_number() -> None:
    found = curves(loss=LOSSES, accuracy=[0.1, 0.2, 0.4])

    assert n_proofs(later(1, found), found) == 15


def test_steps_off_by_several_numbers_prove_nothing() -> None:
    found = curves(loss=LOSSES, accuracy=[0.1, 0.2, 0.4])

    assert n_proofs({**found, **later(1, curves(accuracy=[0.1, 0.2, 0.4]))}, found) == 0


def test_schedules_and_constants_prove_nothing() -> None:
    found = curves(
        epoch=[0.0, 1.0, 2.0], **{"lr-Adam": [0.3, 0.2, 0.1]}, train_lr=[0.3, 0.2, 0.1], flat=[1.0, 1.0, 1.0]
    )

    assert n_proofs(found, found) == 0


def test_nan_equals_nan_and_doubles_equal_their_float32() -> None:
    doubles = curves(loss=[0.1, float("nan"), 0.3])
    floats = curves(loss=np.array([0.1, float("nan"), 0.3], dtype=np.float32).astype(float).tolist())

    assert n_proofs(doubles, floats) == 3


def test_nothing_in_common_proves_nothing() -> None:
    assert n_proofs(curves(loss=LOSSES), curves(accuracy=LOSSES)) == 0


def say(home: Home, name: str, tag: str, note: str) -> None:
    with open_reader(home) as reader:
        ((key, fingerprint),) = reader.rows("SELECT key, fingerprint FROM runs WHERE name = ?", [name])
    with journal.open_journal(home) as words:
        run = RunRef(key, fingerprint)
        words.tag([run], [tag])
        words.note(run, note)


def said(home: Home) -> list[tuple[object, ...]]:
    with open_reader(home) as reader:
        tags = reader.rows("SELECT r.name, t.tag FROM tags t JOIN runs r ON r.id = t.run_id ORDER BY ALL")
        return [*tags, *reader.rows("SELECT r.name, n.body FROM notes n JOIN runs r ON r.id = n.run_id ORDER BY ALL")]


def test_what_was_said_of_the_table_shows_on_the_joined_run_and_comes_back_when_they_part(
    home: Home, tmp_path: Path
) -> None:
    drawn, logged = tmp_path / "logs/tb/exp/version_0", tmp_path / "logs/csv/exp/version_0"
    events(drawn, LOSSES)
    table(logged, [*LOSSES[:5], 9.0, *LOSSES[6:]])
    ingest_paths(home, [str(tmp_path / "logs")])
    say(home, "csv/exp/version_0", "good", "of the table")
    say(home, "tb/exp/version_0", "best", "of the events")
    apart = said(home)

    table(logged, LOSSES)
    ingest_paths(home, [str(tmp_path / "logs")])
    joined = said(home)
    table(logged, [*LOSSES[:5], 9.0, *LOSSES[6:]])
    ingest_paths(home, [str(tmp_path / "logs")])

    name = "tb/exp/version_0"
    assert joined == [(name, "best"), (name, "good"), (name, "of the events"), (name, "of the table")]
    assert said(home) == apart
    assert len(apart) == 4
