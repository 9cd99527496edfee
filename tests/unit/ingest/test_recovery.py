"""What an interrupted ingest, a damaged catalog and a changing tree leave behind: nothing lost, nothing doubled."""

import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mlbench import journal
from mlbench.adapters import load_adapters
from mlbench.catalog.reader import open_reader
from mlbench.catalog.writer import open_writer
from mlbench.errors import SourceError
from mlbench.ingest import ingesting, run
from mlbench.ingest.progress import Progress, Summary
from mlbench.ingest.run import ingest_paths
from mlbench.model import Adapter, Claim, Cursor, Fact, JsonValue, Listing, Points, Role, Source
from mlbench.paths import Home
from tests.events import scalar_file

LOG = "events.out.tfevents.1700000000.host"


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    for name, value in (("a", 0.1), ("b", 0.2), ("c", 0.3)):
        scalar_file(tmp_path / "logs" / name / LOG, {"loss": [(1, value), (2, value)]})
    return tmp_path / "logs"


def ingest(home: Home, *paths: Path, rebuild: bool = False, cancel_after: int | None = None) -> Summary:
    asked = iter(range(10_000))
    stop: Callable[[], bool] = lambda: cancel_after is not None and next(asked) >= cancel_after  # noqa: E731
    return ingest_paths(home, [str(path) for path in paths], rebuild=rebuild, is_cancelled=stop)


def statuses(home: Home) -> dict[str, str]:
    with open_reader(home, now_s=1.8e9) as reader:
        return dict(reader.rows("SELECT name, status FROM runs ORDER BY name"))


def problems(home: Home) -> list[str]:
    with open_reader(home) as reader:
        return [row[0] for row in reader.rows("SELECT what FROM problems ORDER BY what")]


def test_what_a_killed_process_committed_is_published_by_the_next(
    home: Home, logs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as killed:
        killed.setattr("mlbench.catalog.writer.Writer.publish", lambda _self, **_how: False)
        ingest(home, logs)
    assert statuses(home) == {}

    assert ingest(home, logs).n_read == 0

    assert list(statuses(home)) == ["a", "b", "c"]


def test_hints_that_a_killed_process_did_not_tell_are_told_by_the_next(
    home: Home, logs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(logs / "a", logs / "d")
    monkeypatch.setattr(ingesting, "UNSEEN_EVERY_S", 0.0)  # it publishes after the first run

    def die(_writer: object, _plan: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as killed:
        killed.setattr(ingesting, "forget_waiting", die)
        with pytest.raises(KeyboardInterrupt):
            ingest(home, logs)

    ingest(home, logs)

    with open_reader(home) as reader:
        assert reader.rows("SELECT name, hint FROM run WHERE hint IS NOT NULL") == [("d", "a copy of a")]


def test_damage_that_is_met_when_the_catalog_is_opened_is_healed(
    home: Home, logs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import duckdb

    from mlbench.catalog import writer

    ingest(home, logs)
    real = writer.Writer.rows
    met: list[str] = []

    def damaged(self: writer.Writer, sql: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        if not met:
            met.append(sql)
            raise duckdb.IOException("Corrupt database file: computed checksum 1 does not match stored checksum 2")
        return real(self, sql, parameters)

    monkeypatch.setattr(writer.Writer, "rows", damaged)

    summary = ingest(home, logs)

    assert "max(series_id)" in met[0]
    assert "was moved to" in summary.talk[0]
    assert len(statuses(home)) == 3


def test_readers_keep_the_old_catalog_until_a_rebuild_is_done(
    home: Home, logs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ingest(home, logs)
    monkeypatch.setattr(ingesting, "UNSEEN_EVERY_S", 0.0)
    seen: list[int] = []

    def look(_progress: Progress) -> None:
        with open_reader(home) as reader:
            seen.append(reader.rows("SELECT count(*) FROM runs")[0][0])

    ingest_paths(home, [], rebuild=True, progress=look)

    assert set(seen) == {3}


def test_a_cancelled_rebuild_is_finished_by_the_next_ingest(home: Home, logs: Path) -> None:
    ingest(home, logs)
    assert ingest(home, rebuild=True, cancel_after=1).was_cancelled
    assert list(statuses(home)) == ["a", "b", "c"]

    ingest(home, logs / "a")

    assert list(statuses(home)) == ["a", "b", "c"]
    with open_writer(home) as writer:
        assert writer.rows("SELECT count(*) FROM series") == [(3,)]
        assert not writer.must_rebuild


def test_a_damaged_catalog_is_built_again_from_all_roots(home: Home, logs: Path, tmp_path: Path) -> None:
    scalar_file(tmp_path / "other/x" / LOG, {"loss": [(1, 0.7)]})
    ingest(home, logs, tmp_path / "other")
    Path(home.cache, "work.duckdb").write_bytes(b"garbage" * 1000)

    ingest(home, logs)

    assert list(statuses(home)) == ["a", "b", "c", "x"]


def test_a_rebuild_without_a_journal_takes_the_roots_of_the_catalog(home: Home, logs: Path) -> None:
    ingest(home, logs)
    shutil.rmtree(home.journal)

    ingest(home, rebuild=True)

    assert list(statuses(home)) == ["a", "b", "c"]


def test_a_rebuild_of_nothing_is_refused(home: Home) -> None:
    with pytest.raises(SourceError, match="Try: mlbench ingest DIR"):
        ingest(home, rebuild=True)


def test_a_rebuild_leaves_out_a_root_that_is_gone_and_says_so(home: Home, logs: Path, tmp_path: Path) -> None:
    scalar_file(tmp_path / "other/x" / LOG, {"loss": [(1, 0.7)]})
    ingest(home, logs, tmp_path / "other")
    shutil.rmtree(tmp_path / "other")

    summary = ingest(home, rebuild=True)

    assert summary.talk == [f"{tmp_path}/other: no such directory any more; its runs are left out"]
    assert list(statuses(home)) == ["a", "b", "c"]


def test_the_runs_of_a_root_that_is_gone_are_missing(home: Home, logs: Path, tmp_path: Path) -> None:
    scalar_file(tmp_path / "other/x" / LOG, {"loss": [(1, 0.7)]})
    ingest(home, logs, tmp_path / "other")
    shutil.rmtree(tmp_path / "other")

    ingest(home, logs)

    assert statuses(home)["x"] == "missing"


def test_a_root_that_moved_is_followed(home: Home, logs: Path) -> None:
    ingest(home, logs)
    logs.rename(logs.parent / "moved")

    ingest(home, logs.parent / "moved")

    assert statuses(home) == {"a": "finished", "b": "finished", "c": "finished"}


def test_deleting_one_of_two_copies_leaves_it_missing(home: Home, logs: Path) -> None:
    shutil.copytree(logs / "a", logs / "copy")
    ingest(home, logs)
    shutil.rmtree(logs / "copy")

    assert ingest(home, logs).n_missing == 1

    assert statuses(home)["copy"] == "missing"


def test_a_problem_that_was_solved_is_gone(home: Home, logs: Path) -> None:
    os.mkfifo(logs / "a/events.out.tfevents.2.fifo")
    whole = (logs / "b" / LOG).read_bytes()
    (logs / "b" / LOG).write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n")
    ingest(home, logs)
    assert len(problems(home)) == 2

    (logs / "a/events.out.tfevents.2.fifo").unlink()
    (logs / "b" / LOG).write_bytes(whole)
    ingest(home, logs)

    assert problems(home) == []


def test_a_truncated_and_an_empty_log_are_told(home: Home, logs: Path) -> None:
    (logs / "a" / LOG).write_bytes((logs / "a" / LOG).read_bytes()[:-3])
    (logs / "b" / LOG).write_bytes(b"")

    summary = ingest(home, logs)

    assert summary.n_problems == 2
    assert problems(home) == ["the file ends in the middle of a record", "the file is empty"]


def test_problems_are_counted_below_the_named_roots_only(home: Home, logs: Path, tmp_path: Path) -> None:
    (logs / "a" / LOG).write_bytes(b"")
    scalar_file(tmp_path / "good/x" / LOG, {"loss": [(1, 0.7)]})
    ingest(home, logs)

    assert ingest(home, tmp_path / "good").n_problems == 0


def test_a_file_that_went_and_came_back_around_a_cancelled_ingest_keeps_its_points(home: Home, logs: Path) -> None:
    second = logs / "a/events.out.tfevents.1700000100.host"
    scalar_file(second, {"loss": [(3, 0.3)]})
    ingest(home, logs)
    second.rename(logs.parent / "away")
    ingest(home, logs, cancel_after=1)

    (logs.parent / "away").rename(second)
    ingest(home, logs)

    with open_reader(home) as reader:
        rows = reader.rows("SELECT n FROM series s JOIN runs r ON r.id = s.run_id WHERE name = 'a'")
    assert rows == [(3,)]


def test_context_above_a_sweep_and_runs_is_settled_after_one_ingest(home: Home, logs: Path) -> None:
    from tensorboard.plugins.hparams.api_pb2 import Experiment
    from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

    from mlbench.wire.tfrecord import write_record
    from tests.unit.wire.event_messages import event, value

    description = HParamsPluginData(experiment=Experiment(name="sweep")).SerializeToString()

    (logs / "git.json").write_text(json.dumps({"commit": "a" * 40}))
    (logs / "a_sweep").mkdir()
    (logs / "a_sweep" / LOG).write_bytes(
        write_record(event(value("_hparams_/experiment", plugin="hparams", content=description)))
    )

    first = ingest(home, logs)
    second = ingest(home, logs)

    assert (first.n_runs, second.n_changed) == (3, 0)


def test_an_adapter_that_fails_half_way_never_doubles_its_points(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def claims(listing: Listing) -> Iterator[Claim]:
        if "x.half" in listing.files:
            yield Claim(os.path.join(listing.path, "x.half"), Role.METRICS, listing.path)

    def read(_source: Source, _cursor: Mapping[str, JsonValue] | None) -> Iterator[Fact]:
        yield Points("m", np.array([1]), np.array([1.0]), np.array([1.0]), np.array([0]))
        yield Cursor({"at": 1})
        raise ValueError("boom")

    half = Adapter("half", claims, read, example=lambda _folder: None, appends=True)
    for module in (ingesting, run):
        monkeypatch.setattr(module, "load_adapters", lambda: (*load_adapters(), half))
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs/x.half").write_text("x")

    for _time in range(3):
        ingest(home, tmp_path / "logs")

    with open_reader(home) as reader:
        assert reader.rows("SELECT count(*) FROM series") == [(0,)]
        assert problems(home) == ["the adapter 'half' failed: ValueError: boom"]


def test_a_list_of_secrets_is_hidden_in_its_raw_text_too(home: Home, logs: Path) -> None:
    secret = "Zx81qWmN0pLs7vTb3kRd"
    (logs / "a/args.json").write_text(json.dumps({"api_key": [secret, "b8HqYw2eXc4rVtNm6zLk"]}))

    ingest(home, logs)

    for path in Path(home.cache).rglob("*"):
        assert not path.is_file() or secret.encode() not in path.read_bytes()


def test_a_run_that_moved_to_another_root_takes_its_words_along(home: Home, logs: Path, tmp_path: Path) -> None:
    ingest(home, logs)
    with open_reader(home) as reader:
        key, mark = reader.rows("SELECT key, fingerprint FROM runs WHERE name = 'a'")[0]
    with journal.open_journal(home) as words:
        words.tag([journal.RunRef(key, mark)], add=["good"])
    (tmp_path / "other").mkdir()
    (logs / "a").rename(tmp_path / "other/z")

    ingest(home, tmp_path / "other")

    with open_reader(home) as reader:
        assert reader.rows("SELECT r.name FROM tags t JOIN runs r ON r.id = t.run_id") == [("z",)]
        assert reader.rows("SELECT name FROM runs ORDER BY name") == [("b",), ("c",), ("z",)]


def test_a_copy_in_another_root_leaves_the_original_where_it_is(home: Home, logs: Path, tmp_path: Path) -> None:
    ingest(home, logs)
    shutil.copytree(logs / "a", tmp_path / "other/z")

    ingest(home, tmp_path / "other")

    assert list(statuses(home)) == ["a", "b", "c", "z"]
