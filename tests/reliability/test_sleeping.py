"""An ingest that stands still for long in the middle, by ctrl+z or as the machine sleeps, loses nothing."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from mlbench.catalog import snapshots
from mlbench.catalog.fsck import check_home
from mlbench.ingest import ingesting, slicing, workers
from mlbench.ingest.progress import Progress
from mlbench.ingest.run import ingest_paths
from mlbench.paths import Home
from tests.events import scalar_file
from tests.reliability.test_changing_sources import values
from tests.reliability.trees import LOG

N_RUNS = 8


def test_segments_that_wait_for_their_commit_while_the_machine_sleeps_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "_useful", lambda _n_bytes, *, may_fork: 2 if may_fork else 0)
    monkeypatch.setattr(slicing, "TASK_RUNS", 1)
    monkeypatch.setattr(threading, "active_count", lambda: 1)
    monkeypatch.setattr(ingesting, "UNSEEN_EVERY_S", 0.0)
    monkeypatch.setattr(snapshots, "UNUSED_SEGMENT_S", 0.2)
    home = Home(str(tmp_path / "journal"), str(tmp_path / "cache"), "test")
    for number in range(N_RUNS):
        scalar_file(tmp_path / "logs" / f"run{number}" / LOG, {"loss": [(step, number / 8) for step in range(5)]})
    published = []

    def sleep_once(progress: Progress) -> None:
        published.append(progress.is_published)
        if progress.stage == "read" and progress.n_done == 1 and not any(published):
            time.sleep(1.0)  # the processes go on meanwhile: their next segments are written, and grow old

    ingest_paths(home, [str(tmp_path / "logs")], progress=sleep_once)

    assert sum(published) > 1
    assert [finding for finding in check_home(home) if not finding.is_well] == []
    assert len(values(home)) == N_RUNS
