"""The sample runs hold what docs, tests and the first look say they hold."""

import json
import math
import os
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import yaml
from dulwich.bundle import read_bundle
from dulwich.object_store import MemoryObjectStore
from dulwich.objects import Commit, Tree

from mlbench.wire.tfrecord import Record, read_records
from tests.paths import ROOT

SAMPLES = ROOT / "sample_runs"
RUNS = sorted(path.parent for path in SAMPLES.glob("logs/*/*/args.json"))
DIVERGED = SAMPLES / "logs/sweep/sgd-lr30-w64-wd0.1-seed0"
RESUMED = SAMPLES / "logs/long/w128-seed0"

Series = dict[str, list[tuple[int, float]]]


def event_files(run: Path) -> list[Path]:
    return sorted(run.glob("events.out.tfevents.*"))


def events_of(path: Path) -> Iterator[object]:
    from tensorboard.compat.proto.event_pb2 import Event

    with path.open("rb") as file:
        for record in read_records(file):
            assert isinstance(record, Record), f"{path}: {record}"
            yield Event.FromString(bytes(record.payload))


@cache
def scalars_of(run: Path) -> Series:
    """Every scalar in the order of the files."""
    series: Series = {}
    for path in event_files(run):
        for event in events_of(path):
            for value in event.summary.value:  # type: ignore[attr-defined]
                if value.HasField("simple_value"):
                    series.setdefault(value.tag, []).append((event.step, value.simple_value))  # type: ignore[attr-defined]
    return series


def values_of(run: Path, tag: str) -> list[float]:
    return [value for _, value in scalars_of(run)[tag]]


def steps_of(run: Path, tag: str) -> list[int]:
    return [step for step, _ in scalars_of(run)[tag]]


def content_of(run: Path, name: str) -> dict[str, object]:
    content = json.loads((run / name).read_text())
    assert isinstance(content, dict)
    return content


def mean_accuracy(pattern: str) -> float:
    found = [values_of(run, "val/acc")[-1] for run in RUNS if run.match(pattern)]
    assert len(found) == 3
    return sum(found) / 3


@cache
def history() -> tuple[MemoryObjectStore, bytes]:
    store = MemoryObjectStore()
    with (SAMPLES / "code.bundle").open("rb") as file:
        bundle = read_bundle(file)
        bundle.store_objects(store)
        head = bundle.references[b"HEAD"]  # type: ignore[index]
        bundle.close()
    return store, head


def test_there_are_33_runs_under_3_megabytes() -> None:
    size_bytes = sum(path.stat().st_size for path in SAMPLES.rglob("*") if path.is_file())

    assert len(RUNS) == 33
    assert size_bytes < 3_000_000


@pytest.mark.parametrize("run", RUNS, ids=lambda run: f"{run.parent.name}/{run.name}")
def test_a_run_holds_its_records_and_whole_event_files(run: Path) -> None:
    names = {path.name for path in run.iterdir() if not path.name.startswith("events.")}

    assert names == {"args.json", "config.yaml", "git.json", "data_version.json", "confusion_matrix.json"}
    assert len(event_files(run)) == (2 if run == RESUMED else 1)
    assert {"train/loss", "val/loss", "val/acc", "lr", "val/recall/class=3"} < set(scalars_of(run))
    assert len(scalars_of(run)) == 16


@pytest.mark.parametrize("run", RUNS, ids=lambda run: f"{run.parent.name}/{run.name}")
def test_arguments_and_configuration_say_the_same(run: Path) -> None:
    arguments = content_of(run, "args.json")
    configuration = yaml.safe_load((run / "config.yaml").read_text())

    assert {name: value for name, value in arguments.items() if name in configuration} == configuration
    assert set(arguments) - set(configuration) == {"config", "resume"}


def test_the_sweep_is_every_combination_with_three_seeds() -> None:
    keys = ("optimizer", "lr", "width", "seed")
    found = [tuple(content_of(run, "args.json")[key] for key in keys) for run in RUNS if run.parent.name == "sweep"]

    wanted = [(o, lr, w, s) for o in ("sgd", "adam") for lr in (0.01, 0.1) for w in (16, 64) for s in (0, 1, 2)]
    assert sorted(found) == sorted([*wanted, ("sgd", 30.0, 64, 0)])


def test_one_run_goes_to_infinity_and_then_to_nan() -> None:
    loss = values_of(DIVERGED, "train/loss")
    first_nan = next(place for place, value in enumerate(loss) if math.isnan(value))

    assert math.isfinite(loss[0])
    assert first_nan > 10
    assert math.isinf(loss[first_nan - 1])
    assert all(math.isnan(value) for value in loss[first_nan:])
    assert len(loss) < 240
    assert all(
        math.isfinite(value) for run in RUNS if run != DIVERGED for value in values_of(run, "train/loss")
    )  # fmt: skip


def test_one_run_was_killed_and_repeats_steps_after_its_checkpoint() -> None:
    steps = steps_of(RESUMED, "train/loss")
    back = [place for place in range(1, len(steps)) if steps[place] <= steps[place - 1]]

    assert len(back) == 1
    assert steps[back[0]] == 151
    assert steps[back[0] - 1] > 160
    assert sorted(set(steps)) == list(range(1, 301))
    assert content_of(RESUMED, "args.json")["resume"] is True


def test_what_the_resumed_run_repeats_is_the_same() -> None:
    by_step: dict[int, set[float]] = {}
    for step, value in scalars_of(RESUMED)["train/loss"]:
        by_step.setdefault(step, set()).add(value)

    assert all(len(values) == 1 for values in by_step.values())


def test_every_recorded_commit_is_in_the_bundle_and_there_are_two() -> None:
    store, head = history()
    commits = {str(content_of(run, "git.json")["commit"]) for run in RUNS}

    assert len(commits) == 2
    assert head.decode() in commits
    for commit_id in commits:
        commit = store[commit_id.encode()]  # type: ignore[index]
        assert isinstance(commit, Commit)
        tree = store[commit.tree]
        assert isinstance(tree, Tree)
        assert [entry.path for entry in tree.items()] == [b"digits.yaml", b"train.py"]
        assert all(entry.sha in store for entry in tree.items())


def test_the_second_commit_is_the_script_as_it_lies_here() -> None:
    store, head = history()
    commit = store[head]  # type: ignore[index]
    assert isinstance(commit, Commit)
    tree = store[commit.tree]
    assert isinstance(tree, Tree)

    for name in ("train.py", "digits.yaml"):
        _, blob_id = tree[name.encode()]
        assert store[blob_id].as_raw_string() == (SAMPLES / name).read_bytes(), "run: python sample_runs/make.py"
    assert len(commit.parents) == 1


def test_there_are_two_versions_of_the_data() -> None:
    versions = {(str(content_of(run, "args.json")["data"]), *map(str, content_of(run, "data_version.json").values()))
                for run in RUNS}  # fmt: skip

    assert sorted((data, system, name, rows) for data, system, name, _, rows in versions) == [
        ("v1", "hash", "digits", "1200"), ("v2", "hash", "digits", "1437"),
    ]  # fmt: skip


def test_the_fix_and_the_right_labels_both_help() -> None:
    first, scaled, right = (
        mean_accuracy(pattern) for pattern in ("first-try/*", "scaled-pixels/*", "sweep/sgd-lr0.1-w64-seed*")
    )

    assert first + 0.2 < scaled
    assert scaled + 0.02 < right


@pytest.mark.parametrize("run", RUNS, ids=lambda run: f"{run.parent.name}/{run.name}")
def test_the_confusion_matrix_agrees_with_the_accuracy(run: Path) -> None:
    content = content_of(run, "confusion_matrix.json")
    matrix = content["matrix"]
    assert isinstance(matrix, list)

    right, total = sum(matrix[i][i] for i in range(10)), sum(map(sum, matrix))
    assert total == 360
    assert right / total == pytest.approx(values_of(run, "val/acc")[-1])
    assert content["labels"] == [str(label) for label in range(10)]


def test_runs_hold_images_histograms_hparams_and_text() -> None:
    kinds: dict[str, str] = {}
    images: list[bytes] = []
    for event in events_of(event_files(RUNS[0])[0]):
        for value in event.summary.value:  # type: ignore[attr-defined]
            kinds[value.tag] = value.metadata.plugin_data.plugin_name or value.WhichOneof("value")
            images += [value.image.encoded_image_string] if value.HasField("image") else []

    assert {tag: kind for tag, kind in kinds.items() if kind != "simple_value"} == {
        "_hparams_/session_start_info": "hparams",
        "_hparams_/session_end_info": "hparams",
        "weights/hidden/kernel": "histograms",
        "weights/output/kernel": "histograms",
        "val/confusion_matrix": "image",
        "outcome": "text",
    }
    assert len(images) == 3
    assert all(image.startswith(b"\x89PNG\r\n\x1a\n") for image in images)


@pytest.mark.slow
def test_making_them_again_gives_the_same_values(tmp_path: Path) -> None:
    pytest.importorskip("sklearn", reason="the extra 'sample' is not installed")

    done = subprocess.run(
        [sys.executable, str(SAMPLES / "make.py"), "--output", str(tmp_path)],
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    for run in RUNS:
        again = tmp_path / run.relative_to(SAMPLES)
        assert repr(scalars_of(again)) == repr(scalars_of(run))
        assert all((again / path.name).read_bytes() == path.read_bytes() for path in run.glob("*.json"))
