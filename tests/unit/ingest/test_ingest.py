"""Ingest end to end on small trees: what is read, what is not read again, what is told."""

import json
import os
import shutil
from pathlib import Path

import pytest

from mlbench import journal
from mlbench.adapters import tensorboard
from mlbench.catalog.reader import Reader, open_reader
from mlbench.errors import HomeError, SourceError
from mlbench.ingest.progress import Summary
from mlbench.ingest.run import ingest_paths
from mlbench.paths import Home
from tests.events import scalar_file

NOW = 1_800_000_000.0


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    folder = tmp_path / "logs"
    for name, rate in (("a", 0.1), ("b", 0.01)):
        scalar_file(
            folder / name / "events.out.tfevents.1700000000.host", {"loss": [(1, 0.9 - rate), (2, 0.5), (3, rate)]}
        )
        (folder / name / "args.json").write_text(json.dumps({"lr": rate, "width": 64}))
    return folder


def ingest(home: Home, *paths: Path, rebuild: bool = False) -> Summary:
    return ingest_paths(home, [str(path) for path in paths], rebuild=rebuild)


def opened(home: Home) -> Reader:
    return open_reader(home, now_s=NOW)


def test_runs_params_and_summaries_reach_the_catalog(home: Home, logs: Path) -> None:
    summary = ingest(home, logs)

    with opened(home) as reader:
        assert summary.n_runs == 2
        assert reader.rows("SELECT name, status FROM runs ORDER BY name") == [("a", "finished"), ("b", "finished")]
        assert reader.rows("SELECT value, layer FROM params WHERE key = 'lr' ORDER BY num") == [
            ("0.01", "config"),
            ("0.1", "config"),
        ]
        assert reader.rows(
            "SELECT metric, n, first_step, last_step, last_value, min_value, max_value FROM series s JOIN runs r ON r.id = s.run_id WHERE name = 'b'"
        ) == [("loss", 3, 1, 3, pytest.approx(0.01), pytest.approx(0.01), pytest.approx(0.89))]


def test_points_keep_their_bits_and_order(home: Home, logs: Path) -> None:
    ingest(home, logs)

    with opened(home) as reader:
        (series_id,) = reader.rows("SELECT series_id FROM series s JOIN runs r ON r.id = s.run_id WHERE name = 'a'")[0]
        points = reader.points([series_id])

    assert points.column("step").to_pylist() == [1, 2, 3]
    assert points.column("value").to_pylist() == [0.800000011920929, 0.5, 0.10000000149011612]


def test_a_second_ingest_of_unchanged_files_opens_none(home: Home, logs: Path) -> None:
    ingest(home, logs)
    before = os.readlink(f"{home.cache}/CURRENT")

    summary = ingest(home, logs)

    assert (summary.n_read, summary.n_unchanged, summary.n_changed) == (0, 4, 0)
    assert os.readlink(f"{home.cache}/CURRENT") == before


def test_a_growing_log_is_read_on_and_its_dump_is_not_read_again(home: Home, logs: Path) -> None:
    ingest(home, logs)
    log = logs / "a/events.out.tfevents.1700000000.host"
    scalar_file(log, {"loss": [(4, 0.05)]}, append=True)

    summary = ingest(home, logs)

    assert summary.n_read == 1
    with opened(home) as reader:
        assert reader.rows(
            "SELECT n, n_raw, last_step FROM series s JOIN runs r ON r.id = s.run_id WHERE name = 'a'"
        ) == [(4, 4, 4)]
        assert reader.rows(
            "SELECT value FROM params p JOIN runs r ON r.id = p.run_id WHERE name = 'a' AND p.key = 'lr'"
        ) == [("0.1",)]


def test_a_log_cut_in_the_middle_of_a_record_goes_on_when_the_rest_comes(home: Home, logs: Path) -> None:
    log = logs / "a/events.out.tfevents.1700000000.host"
    whole = log.read_bytes()
    log.write_bytes(whole[:-5])
    ingest(home, logs)
    with opened(home) as reader:
        assert reader.rows("SELECT status FROM sources WHERE path LIKE '%/a/events%'") == [("truncated",)]

    log.write_bytes(whole)
    ingest(home, logs)

    with opened(home) as reader:
        assert reader.rows("SELECT n FROM series s JOIN runs r ON r.id = s.run_id WHERE name = 'a'") == [(3,)]


def test_a_resumed_training_sets_the_replaced_branch_aside(home: Home, tmp_path: Path) -> None:
    run = tmp_path / "logs/run"
    scalar_file(run / "events.out.tfevents.1700000000.host", {"loss": [(1, 0.9), (2, 0.8), (3, 0.7)]})
    scalar_file(run / "events.out.tfevents.1700000100.host", {"loss": [(2, 0.75), (3, 0.6)]})

    ingest(home, tmp_path / "logs")

    with opened(home) as reader:
        row = reader.rows("SELECT n, n_raw, n_back, last_value FROM series")[0]
    assert row == (3, 5, 1, pytest.approx(0.6))


def test_a_file_that_sorts_before_those_known_takes_its_place(home: Home, tmp_path: Path) -> None:
    run = tmp_path / "logs/run"
    scalar_file(run / "events.out.tfevents.1700000100.host", {"loss": [(3, 0.6)]})
    ingest(home, tmp_path / "logs")
    scalar_file(run / "events.out.tfevents.1700000000.host", {"loss": [(1, 0.9), (2, 0.8)]})

    ingest(home, tmp_path / "logs")

    with opened(home) as reader:
        points = reader.points([row[0] for row in reader.rows("SELECT series_id FROM series")])
    assert points.column("step").to_pylist() == [1, 2, 3]


def test_tags_follow_a_run_that_moved(home: Home, logs: Path) -> None:
    ingest(home, logs)
    with opened(home) as reader:
        key, fingerprint = reader.rows("SELECT key, fingerprint FROM runs WHERE name = 'a'")[0]
    with journal.open_journal(home) as words:
        words.tag([journal.RunRef(key, fingerprint)], add=["good"])

    (logs / "a").rename(logs / "moved")
    ingest(home, logs)

    with opened(home) as reader:
        assert reader.rows("SELECT r.name, t.tag FROM tags t JOIN runs r ON r.id = t.run_id") == [("moved", "good")]
        assert reader.rows("SELECT count(*) FROM runs") == [(2,)]


def test_a_copy_is_a_second_run_with_a_hint_and_without_the_tags(home: Home, logs: Path) -> None:
    ingest(home, logs)
    with opened(home) as reader:
        key, fingerprint = reader.rows("SELECT key, fingerprint FROM runs WHERE name = 'a'")[0]
    with journal.open_journal(home) as words:
        words.tag([journal.RunRef(key, fingerprint)], add=["good"])

    shutil.copytree(logs / "a", logs / "z")
    ingest(home, logs)

    with opened(home) as reader:
        assert reader.rows("SELECT hint FROM runs WHERE name = 'z'") == [("a copy of a",)]
        assert reader.rows("SELECT r.name FROM tags t JOIN runs r ON r.id = t.run_id") == [("a",)]


def test_a_deleted_run_is_shown_as_missing(home: Home, logs: Path) -> None:
    ingest(home, logs)
    shutil.rmtree(logs / "a")

    summary = ingest(home, logs)

    assert summary.n_missing == 1
    with opened(home) as reader:
        assert reader.rows("SELECT name, status FROM runs ORDER BY name") == [("a", "missing"), ("b", "finished")]


def test_overlapping_roots_and_links_give_each_run_once(home: Home, logs: Path) -> None:
    (logs / "link").symlink_to(logs / "a")
    (logs / "loop").symlink_to(logs)

    ingest(home, logs, logs / "a")

    with opened(home) as reader:
        assert reader.rows("SELECT count(*) FROM runs") == [(2,)]


def test_a_dump_above_several_runs_is_their_weakest_config(home: Home, logs: Path) -> None:
    (logs / "args.yaml").write_text("lr: 0.5\nseed: 3\n")

    ingest(home, logs)

    with opened(home) as reader:
        rows = reader.rows(
            "SELECT p.key, value, layer FROM params p JOIN runs r ON r.id = p.run_id WHERE name = 'a' ORDER BY 1"
        )
    assert rows == [("lr", "0.1", "config"), ("seed", "3", "inherited"), ("width", "64", "config")]


def test_a_rebuild_gives_the_same_catalog(home: Home, logs: Path) -> None:
    ingest(home, logs)
    before = dump(home)

    ingest(home, rebuild=True)

    assert dump(home) == before


def test_deleting_the_cache_loses_nothing_but_time(home: Home, logs: Path) -> None:
    ingest(home, logs)
    before = dump(home)
    shutil.rmtree(home.cache)

    ingest(home, logs)

    assert dump(home) == before


def dump(home: Home) -> list[object]:
    """Everything a reader sees, but for ids and times of reading."""
    with opened(home) as reader:
        points = reader.points([row[0] for row in reader.rows("SELECT series_id FROM series")])
        return [
            reader.rows("SELECT * EXCLUDE (id) FROM runs ORDER BY ALL"),
            reader.rows("SELECT * FROM param ORDER BY ALL"),
            reader.rows("SELECT * EXCLUDE (series_id) FROM series ORDER BY ALL"),
            reader.rows("SELECT path, status, n_records FROM sources ORDER BY ALL"),
            points.select(["step", "wall_s", "value"]).to_pylist(),
        ]


def test_a_catalog_of_garbage_is_moved_aside_and_built_again(home: Home, logs: Path) -> None:
    ingest(home, logs)
    Path(home.cache, "work.duckdb").write_bytes(b"garbage" * 1000)

    summary = ingest(home, logs)

    assert summary.n_read == 4
    assert "moved to" in summary.talk[0]
    assert any("broken" in name for name in os.listdir(home.cache))


def test_a_path_that_does_not_exist_is_told_and_the_rest_goes_on(home: Home, logs: Path) -> None:
    summary = ingest(home, logs, logs / "nowhere")

    assert summary.n_runs == 2
    assert summary.errors == [f"{logs}/nowhere: no such directory. Try: mlbench ingest DIR, with a DIR that holds logs"]


def test_nothing_to_read_at_all_is_an_error(home: Home, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no such directory"):
        ingest(home, tmp_path / "nowhere")


def test_a_directory_without_runs_is_an_empty_answer(home: Home, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()

    assert ingest(home, tmp_path / "empty").n_runs == 0


def test_a_fifo_named_like_a_log_is_told_and_not_opened(home: Home, logs: Path) -> None:
    os.mkfifo(logs / "a/events.out.tfevents.1700000001.fifo")

    ingest(home, logs)

    with opened(home) as reader:
        assert reader.rows("SELECT what FROM problems") == [("this is not a regular file, it was not opened",)]


def test_a_name_that_is_not_utf8_is_one_run_like_any_other(home: Home, tmp_path: Path) -> None:
    folder = os.fsencode(tmp_path / "logs") + b"/caf\xe9"
    os.makedirs(folder)
    scalar_file(Path(os.fsdecode(folder)) / "events.out.tfevents.1700000000.host", {"loss": [(1, 0.5)]})

    ingest(home, tmp_path / "logs")
    again = ingest(home, tmp_path / "logs")

    with opened(home) as reader:
        assert reader.rows("SELECT name, n_metrics FROM runs") == [("caf\\xe9", 1)]
    assert again.n_read == 0


def test_a_secret_never_reaches_the_catalog(home: Home, logs: Path) -> None:
    secret = "hf_AbCdEfGhIjKlMnOpQrStUvWxYz0123456789"
    (logs / "a/args.json").write_text(
        json.dumps({"lr": 0.1, "hub_token": secret, "nested": {"api_key": "k3y" + secret}})
    )

    ingest(home, logs)

    for path in Path(home.cache).rglob("*"):
        assert not path.is_file() or secret.encode() not in path.read_bytes()
    with opened(home) as reader:
        assert reader.rows("SELECT raw FROM param WHERE key = 'hub_token'")[0][0].startswith("<redacted:")


def test_two_writers_do_not_get_in_each_others_way(home: Home, logs: Path) -> None:
    from mlbench.catalog.lock import WriterBusyError
    from mlbench.catalog.writer import open_writer

    with open_writer(home), pytest.raises(WriterBusyError, match="is writing this catalog"):
        ingest_paths(home, [str(logs)], wait_s=0.1)


def test_cancelling_keeps_what_was_read(home: Home, logs: Path) -> None:
    answers = iter([False, True])

    summary = ingest_paths(home, [str(logs)], is_cancelled=lambda: next(answers))

    assert summary.was_cancelled
    with opened(home) as reader:
        assert reader.rows("SELECT count(*) FROM runs") == [(1,)]


def test_a_home_that_cannot_be_written_is_told(tmp_path: Path, logs: Path) -> None:
    (tmp_path / "file").write_text("")
    home = Home(str(tmp_path / "file/journal"), str(tmp_path / "file/cache"), "test")

    with pytest.raises(HomeError, match="Try: mlbench --home DIR"):
        ingest(home, logs)


def test_nothing_is_written_into_the_logs(home: Home, logs: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in logs.rglob("*")}

    ingest(home, logs)

    assert {path: path.stat().st_mtime_ns for path in logs.rglob("*")} == before


def test_a_file_deleted_from_a_run_is_forgotten_once(home: Home, logs: Path) -> None:
    ingest(home, logs)
    (logs / "a/args.json").unlink()

    changed = ingest(home, logs)
    again = ingest(home, logs)

    assert (changed.n_changed, again.n_changed) == (1, 0)
    with opened(home) as reader:
        assert reader.rows("SELECT count(*) FROM params p JOIN runs r ON r.id = p.run_id WHERE name = 'a'") == [(0,)]


def test_a_run_that_comes_back_is_no_longer_missing_and_nothing_is_read_again(home: Home, logs: Path) -> None:
    ingest(home, logs)
    (logs / "a").rename(logs.parent / "away")
    assert ingest(home, logs).n_missing == 1

    (logs.parent / "away").rename(logs / "a")
    back = ingest(home, logs)

    assert (back.n_missing, back.n_read) == (0, 0)
    with opened(home) as reader:
        assert reader.rows("SELECT name, status, n_points FROM runs WHERE name = 'a'") == [("a", "finished", 3)]


def test_what_is_not_a_scalar_keeps_its_name_when_the_log_grows(home: Home, tmp_path: Path) -> None:
    for split in ("train", "validation"):
        folder = tmp_path / "logs/run" / split
        folder.mkdir(parents=True)
        tensorboard.ADAPTER.example(str(folder))
    ingest(home, tmp_path / "logs")
    with opened(home) as reader:
        before = reader.rows("SELECT metric, step, byte_offset FROM blob ORDER BY ALL")
    log = next((tmp_path / "logs/run/train").iterdir())
    scalar_file(log, {"loss": [(999, 0.5)]}, append=True)

    ingest(home, tmp_path / "logs")

    with opened(home) as reader:
        assert reader.rows("SELECT metric, step, byte_offset FROM blob ORDER BY ALL") == before
    assert all(str(metric).startswith(("train/", "validation/")) for metric, _step, _offset in before)


def test_only_new_points_are_counted(home: Home, logs: Path) -> None:
    assert ingest(home, logs).n_points == 6
    scalar_file(logs / "a/events.out.tfevents.1700000000.host", {"loss": [(4, 0.05)]}, append=True)

    assert ingest(home, logs).n_points == 1
