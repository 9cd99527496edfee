"""JSON lines of many frameworks: which files are logs, what their keys mean."""

import json
import math
from pathlib import Path

import pytest

from mlbench.adapters.json_lines import ADAPTER
from mlbench.model import Points, ReadStatus
from tests.paths import FORMATS, needs_formats
from tests.unit.adapters.reading import (
    claims_below,
    cursor_of,
    params_of,
    points_of,
    problems_of,
    read,
    read_only_claim,
    series_of,
    write,
)


@needs_formats
def test_a_genuine_log_without_an_end_of_its_last_line(tmp_path: Path) -> None:
    write(tmp_path, {"log.txt": (FORMATS / "argparse" / "log.txt").read_bytes()})

    facts = read_only_claim(ADAPTER, tmp_path)

    assert series_of(facts) == {
        "train_lr": (3, 0, 2, 0.001), "train_loss": (3, 0, 2, 1 / 3), "test_acc1": (3, 0, 2, 52.0)
    }  # fmt: skip
    assert params_of(facts) == {"n_parameters": 5717416}
    assert cursor_of(facts).status is ReadStatus.EOF


@needs_formats
def test_progress_json_counts_only_where_there_is_no_csv(tmp_path: Path) -> None:
    content = (FORMATS / "sb3" / "logs" / "progress.json").read_bytes()
    write(tmp_path / "both", {"progress.json": content, "progress.csv": "a\n"})
    write(tmp_path / "one", {"progress.json": content})

    facts = read_only_claim(ADAPTER, tmp_path / "one")

    assert claims_below(ADAPTER, tmp_path / "both") == []
    assert series_of(facts)["train/loss"] == (7, 256, 1024, 43.19968795776367)
    assert series_of(facts)["rollout/ep_rew_mean"][:3] == (8, 128, 1024)


def test_detectron2_goes_back_after_a_restart_and_its_time_is_a_metric(tmp_path: Path) -> None:
    rows = [
        {"data_time": 0.01, "iteration": step, "lr": 0.02, "time": 0.25, "total_loss": 1.0} for step in (19, 39, 19)
    ]
    rows.append({"bbox/AP": 31.5, "iteration": 39})
    write(tmp_path, {"metrics.json": "".join(json.dumps(row) + "\n" for row in rows)})

    facts = read_only_claim(ADAPTER, tmp_path)

    assert points_of(facts, "total_loss") == [(19, 1.0), (39, 1.0), (19, 1.0)]
    assert points_of(facts, "time")[0] == (19, 0.25)
    assert points_of(facts, "bbox/AP") == [(39, 31.5)]


@pytest.mark.parametrize("moment", [1795418528.5, 1795418528500, "2026-11-23T07:22:08.500000+00:00"])
def test_a_time_of_this_age_is_the_wall_time(tmp_path: Path, moment: object) -> None:
    write(tmp_path, {"log.jsonl": json.dumps({"step": 1, "time": moment, "loss": 0.5}) + "\n"})

    (points,) = [fact for fact in read_only_claim(ADAPTER, tmp_path) if isinstance(fact, Points)]

    assert points.wall_s.tolist() == [1795418528.5]
    assert points.metric == "loss"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("metrics.json", '{"accuracy": 0.9}'),
        ("metrics.json", '{"step": 3, "accuracy": 0.9}'),
        ("metrics.json", '{\n  "step": 1,\n  "loss": 2\n}\n'),
        ("data.jsonl", '{"text": "hello", "label": 3}\n'),
        ("steps.jsonl", '{"step": 1, "text": "do this"}\n'),
        ("log.txt", "epoch 1 loss 2\n"),
        ("x.jsonl", "[1, 2]\n"),
        ("x.jsonl", ""),
    ],
)
def test_other_files_are_left_alone(tmp_path: Path, name: str, content: str) -> None:
    write(tmp_path, {name: content})

    assert claims_below(ADAPTER, tmp_path) == []


def test_splits_are_prefixes_and_other_files_trainings_of_their_own(tmp_path: Path) -> None:
    row = '{"step": 1, "loss": 0.5}\n'
    write(tmp_path, {"val.jsonl": row, "seed1.jsonl": row, "seed2.jsonl": row})

    claims = {Path(claim.path).name: claim for claim in claims_below(ADAPTER, tmp_path)}

    assert {name: claim.is_one_training for name, claim in claims.items()} == {
        "val.jsonl": False, "seed1.jsonl": True, "seed2.jsonl": True
    }  # fmt: skip
    assert list(series_of(read(ADAPTER, claims["val.jsonl"]))) == ["val/loss"]


def test_bad_lines_and_rows_without_a_step_are_told(tmp_path: Path) -> None:
    text = '{"step": 1, "a": {"b": 0.5}}\noops\n{"a": {"b": 2}}\n{"step": 3, "a": {"b": NaN}}\n{"step": 4, "a"'
    write(tmp_path, {"log.jsonl": text})

    facts = read_only_claim(ADAPTER, tmp_path)

    found = points_of(facts, "a/b")
    assert found[0] == (1, 0.5)
    assert found[1][0] == 3
    assert math.isnan(found[1][1])
    assert problems_of(facts) == [
        "log.jsonl: 1 line is no JSON object and was left out (offset 29)",
        "log.jsonl: 1 row has no 'step', which gives the step of the others, and no points were taken of it",
    ]
    assert cursor_of(facts).status is ReadStatus.DAMAGED
