"""How runs are named: by name, beginning, id, number, path, glob, `@best`, `@baseline`."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.events import scalar_file
from tests.unit.cli.conftest import SAMPLES, Done

Mlbench = Callable[..., Done]
SEED = "logs/sweep/adam-lr0.01-w64-seed0"


def fields_of(done: Done) -> dict[str, object]:
    assert done.code == 0, done.err
    return {row["key"]: row["value"] for row in json.loads(done.out) if row["section"] == "run"}


def runs_of(done: Done) -> list[str]:
    assert done.code == 0, done.err
    return [row["run"] for row in json.loads(done.out)]


@pytest.fixture
def seed(mlbench: Mlbench) -> dict[str, object]:
    return fields_of(mlbench("show", SEED, "--format", "json"))


@pytest.mark.parametrize("word", [SEED, "adam-lr0.01-w64-seed0", str(SAMPLES / SEED), "logs/sweep/adam-lr0.01-w64-s*0"])
def test_a_name_its_end_a_path_and_a_glob_name_a_run(mlbench: Mlbench, seed: dict[str, object], word: str) -> None:
    assert fields_of(mlbench("show", word, "--format", "json"))["id"] == seed["id"]


@pytest.mark.parametrize("word", ["@best(rare)", "@BEST(metrics.rare)", "@best(`rare`)", "@best( ra*e )"])
def test_the_best_by_any_metric_goes_by_its_goal(mlbench: Mlbench, tmp_path: Path, word: str) -> None:
    for name, value in (("high", 0.5), ("low", 0.4)):
        scalar_file(tmp_path / "other" / name / "events.out.tfevents.1700000000.host", {"rare": [(1, value)]})
    mlbench("ingest", "other")

    best = []
    for goal in ("max", "min"):
        mlbench("metric", "rare", "--goal", goal)
        best.append(fields_of(mlbench("show", word, "--format", "json"))["name"])

    assert best == ["high", "low"]


def test_an_id_and_its_unique_beginning(mlbench: Mlbench, seed: dict[str, object]) -> None:
    for word in (str(seed["id"]), str(seed["id"])[:9]):
        assert fields_of(mlbench("show", word, "--format", "json"))["name"] == SEED


def test_a_number_names_the_same_run_wherever_one_is_asked_for(mlbench: Mlbench, seed: dict[str, object]) -> None:
    word = f"#{seed['number']}"

    assert runs_of(mlbench("tag", word, "+x", "--format", "json")) == [SEED]
    assert runs_of(mlbench("note", word, "n", "--format", "json")) == [SEED]
    assert runs_of(mlbench("name", word, "mine", "--format", "json")) == ["mine"]
    assert runs_of(mlbench("baseline", word, "--format", "json")) == ["mine"]
    assert runs_of(mlbench("archive", word, "--format", "json")) == ["mine"]
    assert mlbench("diff", word, "@baseline", "--format", "json").code == 2  # the same run twice
    assert mlbench("diff", word, "#1", "--baseline", "#2", "--format", "json").code == 0
    assert mlbench("report", "--run", word, "--run", "#1", "-o", "-").code == 0
    assert mlbench("forget", word).err.startswith("mlbench: this would forget 1 run (mine)")


def test_numbers_go_from_the_oldest_to_the_newest_and_are_shown_in_the_table(mlbench: Mlbench) -> None:
    rows = json.loads(mlbench("query", "-c", "number, started", "-s", "started", "--format", "json").out)
    table = mlbench("query", "-c", "number", "-s", "number:desc", "-n", "2", "--format", "table").out

    assert [row["number"] for row in rows] == list(range(1, 34))
    assert [line.split()[0] for line in table.splitlines()] == ["#", "33", "32"]
    assert runs_of(mlbench("query", "number = 1", "--format", "json")) == [rows[0]["run"]]


def test_numbers_stay_when_older_runs_come_and_when_all_is_read_again(mlbench: Mlbench, tmp_path: Path) -> None:
    before = json.loads(mlbench("query", "-c", "number", "-s", "name", "--format", "json").out)
    scalar_file(tmp_path / "old/a/events.out.tfevents.1000000000.host", {"acc": [(1, 0.5)]})

    mlbench("ingest", "old")
    mlbench("rebuild")

    assert (
        json.loads(mlbench("query", "-c", "number", "-s", "name", "--in", str(SAMPLES), "--format", "json").out)
        == before
    )
    assert runs_of(mlbench("query", "number = 34", "--format", "json")) == ["a"]


def test_a_run_that_moved_keeps_its_number_and_a_forgotten_number_is_not_given_again(
    mlbench: Mlbench, tmp_path: Path
) -> None:
    for name in ("a", "b"):
        scalar_file(tmp_path / "other" / name / "events.out.tfevents.1700000000.host", {f"acc_{name}": [(1, 0.5)]})
    mlbench("ingest", "other")
    number, of_b = (fields_of(mlbench("show", name, "--format", "json"))["number"] for name in ("a", "b"))
    (tmp_path / "other/a").rename(tmp_path / "other/moved")
    mlbench("ingest", "other")
    moved = fields_of(mlbench("show", "moved", "--format", "json"))["number"]
    shutil.rmtree(tmp_path / "other/b")
    mlbench("ingest", "other")
    mlbench("forget", "b", "--yes")

    scalar_file(tmp_path / "other/c/events.out.tfevents.1700000000.host", {"acc_c": [(1, 0.5)]})
    mlbench("ingest", "other")

    assert moved == number
    assert {number, of_b} == {34, 35}
    assert fields_of(mlbench("show", "c", "--format", "json"))["number"] == 36
    assert mlbench("show", f"#{of_b}").code == 2


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("#99", "no run '#99': the numbers go up to 33. Try: mlbench query, which shows them"),
        ("seed0", "'seed0' is the end of 2 runs: logs/first-try/seed0, logs/scaled-pixels/seed0. Try: the whole name"),
        ("logs/lon", "'logs/lon' is the beginning of 2 runs: logs/long/w128-seed0, logs/long/w128-seed1. Try:"),
        ("logs/long/w128-sed0", "in 33 runs. Did you mean 'logs/long/w128-seed0'?"),
        ("@bestt", "no run '@bestt'. Did you mean '@best'?"),
        ("@best(val/los)", "no metric 'val/los' in 33 runs. Did you mean 'val/loss'?"),
        (
            "@best(val/*)",
            "@best(val/*) means 12 metrics: val/acc, val/loss, val/recall/class=0, val/recall/class=1, ",
        ),
        ("@best(lr)", "it is not known whether less or more of 'lr' is better. Try: mlbench metric 'lr' --goal min"),
        ("@baseline", "no run is the baseline. Try: mlbench baseline RUN"),
    ],
)
def test_what_names_no_run_or_several_is_told_with_what_to_try(mlbench: Mlbench, word: str, told: str) -> None:
    done = mlbench("show", word)

    assert (done.code, done.out) == (2, "")
    assert told in done.err


def test_a_name_that_looks_like_a_number_comes_first(mlbench: Mlbench) -> None:
    mlbench("name", SEED, "#1")

    assert fields_of(mlbench("show", "#1", "--format", "json"))["path"] == str(SAMPLES / SEED)


# ---------------------------------------------------------------- what happens to runs on the disk


def test_a_deleted_run_is_missing_and_keeps_its_words_until_it_is_back(mlbench: Mlbench, tmp_path: Path) -> None:
    log = tmp_path / "other/a/events.out.tfevents.1700000000.host"
    scalar_file(log, {"acc": [(1, 0.5)]})
    scalar_file(tmp_path / "other/b/events.out.tfevents.1700000000.host", {"acc": [(1, 0.5), (2, 1.0)]})
    mlbench("ingest", "other")
    mlbench("tag", "a", "+kept")
    content = log.read_bytes()

    shutil.rmtree(log.parent)
    mlbench("ingest", "other")
    while_gone = json.loads(mlbench("query", "tag:kept", "-c", "status", "--format", "json").out)
    log.parent.mkdir()
    log.write_bytes(content)
    mlbench("ingest", "other")

    assert while_gone == [{"run": "a", "status": "missing"}]
    assert json.loads(mlbench("query", "tag:kept", "-c", "status", "--format", "json").out) == [
        {"run": "a", "status": "finished"}
    ]


def test_a_renamed_run_is_one_run_with_its_words(mlbench: Mlbench, tmp_path: Path) -> None:
    scalar_file(tmp_path / "other/a/events.out.tfevents.1700000000.host", {"acc": [(1, 0.5)]})
    mlbench("ingest", "other")
    mlbench("tag", "a", "+kept")

    (tmp_path / "other/a").rename(tmp_path / "other/better-name")
    mlbench("ingest", "other")

    assert runs_of(mlbench("query", "--in", "other", "--format", "json")) == ["better-name"]
    assert runs_of(mlbench("query", "tag:kept", "--format", "json")) == ["better-name"]


def test_a_run_moved_to_another_root_keeps_its_words(mlbench: Mlbench, tmp_path: Path) -> None:
    scalar_file(tmp_path / "old/a/events.out.tfevents.1700000000.host", {"acc": [(1, 0.5)]})
    mlbench("ingest", "old")
    mlbench("tag", "a", "+kept")
    (tmp_path / "new").mkdir()

    (tmp_path / "old/a").rename(tmp_path / "new/a")
    mlbench("ingest", "new")

    rows = json.loads(mlbench("query", "tag:kept", "-c", "path, status", "--format", "json").out)
    assert rows == [{"run": "a", "path": str(tmp_path / "new/a"), "status": "finished"}]


def test_a_symlink_to_a_run_is_no_second_run(mlbench: Mlbench, tmp_path: Path) -> None:
    scalar_file(tmp_path / "other/a/events.out.tfevents.1700000000.host", {"acc": [(1, 0.5)]})
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked/again").symlink_to(tmp_path / "other/a")
    (tmp_path / "all").symlink_to(tmp_path / "other")

    mlbench("ingest", "other")
    mlbench("ingest", "linked", "all")

    rows = json.loads(mlbench("query", f"path ~ '{tmp_path.name}'", "-c", "path", "--format", "json").out)
    assert [row["path"] for row in rows] == [str(tmp_path / "other/a")]
    assert fields_of(mlbench("show", str(tmp_path / "linked/again"), "--format", "json"))["path"] == str(
        tmp_path / "other/a"
    )


def test_runs_of_a_mount_that_went_away_are_missing_and_come_back_with_their_words(
    mlbench: Mlbench, tmp_path: Path
) -> None:
    scalar_file(tmp_path / "mount/a/events.out.tfevents.1700000000.host", {"acc": [(1, 0.5)]})
    mlbench("ingest", "mount")
    mlbench("tag", "a", "+kept")

    (tmp_path / "mount").rename(tmp_path / "elsewhere")
    mlbench("ingest", str(SAMPLES))
    while_gone = json.loads(mlbench("query", "tag:kept", "-c", "status", "--format", "json").out)
    (tmp_path / "elsewhere").rename(tmp_path / "mount")
    mlbench("ingest", "mount")

    assert while_gone == [{"run": "a", "status": "missing"}]
    assert json.loads(mlbench("query", "tag:kept", "-c", "status", "--format", "json").out) == [
        {"run": "a", "status": "finished"}
    ]
