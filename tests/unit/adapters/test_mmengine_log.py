import json
import os
from pathlib import Path

import pytest

from mlbench.adapters.mmengine_log import ADAPTER, Row, row_of, steps_of
from mlbench.model import Environment, JsonValue, ReadStatus, Role
from tests.paths import CORPORA, FORMATS, needs_corpora, needs_formats
from tests.unit.adapters.reading import (
    assert_params,
    assert_series,
    claims_below,
    cursor_of,
    expected,
    fields_of,
    params_of,
    points_of,
    problems_of,
    read,
    read_only_claim,
    series_of,
    write,
)


def rows(*lines: dict[str, JsonValue]) -> list[Row]:
    found = [row_of({**line, "loss": 1.0}) for line in lines]
    return [row for row in found if row is not None]


@needs_corpora
def test_three_starts_in_one_work_folder_are_one_run() -> None:
    (claim,) = claims_below(ADAPTER, CORPORA / "mmdet-faster-rcnn")

    facts = read(ADAPTER, claim)

    assert (claim.role, os.path.basename(claim.run_folder)) == (Role.METRICS, "faster_rcnn_r50_fpn_1x_coco")
    assert series_of(facts)["train/loss"] == (1, 50, 50, 1.52762)
    assert series_of(facts)["train/acc"] == (1, 50, 50, 89.66406)
    assert params_of(facts)["optimizer.lr"] == 0.02
    assert params_of(facts)["data.samples_per_gpu"] == 2
    assert Environment("package:mmcv", "1.3.10") in facts
    assert Environment("gpu", "GeForce GTX TITAN X") in facts
    assert fields_of(facts) == {"entry_point": "faster_rcnn_r50_fpn_1x_coco.py"}


@needs_formats
def test_it_agrees_with_what_is_known_of_the_sample() -> None:
    known = expected("mmengine")
    metrics = next(claim for claim in claims_below(ADAPTER, FORMATS / "mmengine") if claim.role is Role.METRICS)

    facts = read(ADAPTER, metrics)

    assert metrics.run_folder.endswith("20261123_072218")
    assert_series(facts, {f"train/{name}": want for name, want in known["train_series"].items()})  # type: ignore[attr-defined]
    assert_series(facts, {f"val/{name}": want for name, want in known["val_series"].items()})  # type: ignore[attr-defined]
    assert_params(facts, known["params"])  # type: ignore[arg-type]
    assert cursor_of(facts).n_records == 15


@needs_formats
def test_the_text_log_gives_the_same_configuration() -> None:
    dump = next(claim for claim in claims_below(ADAPTER, FORMATS / "mmengine") if claim.role is Role.DUMP)

    facts = read(ADAPTER, dump)

    assert_params(facts, expected("mmengine")["params"])  # type: ignore[arg-type]
    assert Environment("package:mmengine", "0.10.7") in facts


def test_iterations_that_begin_again_are_counted_through() -> None:
    found = rows(
        {"mode": "train", "epoch": 1, "iter": 50},
        {"mode": "train", "epoch": 1, "iter": 100},
        {"mode": "val", "epoch": 1, "iter": 30},
        {"mode": "train", "epoch": 2, "iter": 50},
        {"mode": "train", "epoch": 2, "iter": 100},
        {"mode": "val", "epoch": 2, "iter": 30},
    )

    assert steps_of(found) == [50, 100, 1, 150, 200, 2]


def test_iterations_that_go_on_are_the_steps_and_validations_of_one_epoch_too() -> None:
    found = rows(
        {"mode": "train", "epoch": 1, "iter": 50},
        {"mode": "val", "epoch": 1, "iter": 50},
        {"mode": "train", "epoch": 2, "iter": 100},
        {"mode": "val", "epoch": 1, "iter": 100},
    )

    assert steps_of(found) == [50, 50, 100, 100]


def test_a_restart_at_the_first_epoch_goes_back() -> None:
    found = rows(
        {"mode": "train", "epoch": 1, "iter": 50},
        {"mode": "train", "epoch": 2, "iter": 50},
        {"mode": "train", "epoch": 1, "iter": 50},
    )

    assert steps_of(found) == [50, 100, 50]


def test_lines_without_numbers_are_no_rows() -> None:
    assert row_of({"mode": "train", "iter": 5, "note": "x"}) is None
    assert row_of({"acc": 0.5, "step": 3}) == Row("val", 1, 0, 3, (("acc", 0.5),))


def test_several_starts_are_read_in_order_of_their_names(tmp_path: Path) -> None:
    line = '{{"mode": "train", "epoch": 1, "iter": {}, "loss": {}, "lr": [0.1], "betas": [0.9, 0.99]}}\n'
    write(tmp_path, {"2.log.json": line.format(20, 0.2), "1.log.json": line.format(10, 0.1) + "\n"})

    facts = read_only_claim(ADAPTER, tmp_path)

    assert points_of(facts, "train/loss") == [(10, 0.1), (20, 0.2)]
    assert points_of(facts, "train/lr") == [(10, 0.1), (20, 0.1)]
    assert "train/betas" not in series_of(facts)


@pytest.mark.parametrize(
    ("text", "problems", "status"),
    [
        ("", [], ReadStatus.EMPTY),
        ('{"mode": "train", "iter": 1, "loss": 1}\n{"mode": "tr', [], ReadStatus.TRUNCATED),
        (
            '{"mode": "train", "iter": 1, "loss": 1}\n[1]\noops\n',
            ["1.log.json: 2 lines could not be read, the first because it holds no JSON object (line 2)"],
            ReadStatus.DAMAGED,
        ),
        (
            "version https://git-lfs.github.com/spec/v1\n",
            ["1.log.json: this is a Git LFS pointer, the file itself is not here"],
            ReadStatus.LFS_POINTER,
        ),
    ],
)
def test_how_a_log_ends_is_told(tmp_path: Path, text: str, problems: list[str], status: ReadStatus) -> None:
    write(tmp_path, {"1.log.json": '{"mode": "train", "iter": 1, "loss": 1}\n'})
    (claim,) = claims_below(ADAPTER, tmp_path)
    write(tmp_path, {"1.log.json": text})

    facts = read(ADAPTER, claim)

    assert problems_of(facts) == problems
    assert cursor_of(facts).status is status


def test_a_log_json_of_another_program_is_left_alone(tmp_path: Path) -> None:
    write(tmp_path, {"server.log.json": '{"level": "info"}\n', "scalars.json": '{"loss": 1}\n'})

    assert claims_below(ADAPTER, tmp_path) == []


def test_a_log_that_cannot_be_opened_is_told(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "1.log.json")

    facts = read_only_claim(ADAPTER, tmp_path)

    assert problems_of(facts) == ["1.log.json: this is not a regular file, it was not read"]
    assert cursor_of(facts).status is ReadStatus.UNREADABLE


def test_seed_and_configuration_come_from_the_first_line(tmp_path: Path) -> None:
    config = "base = 'x'\noptimizer = dict(\n    type='SGD',\n    lr=0.02)\nlr2 = base * 2\nflip = True\n"
    head = {"env_info": "GPU 0: A100\nPython: 3.8\nSECRET: x", "config": config, "seed": 7}
    write(tmp_path, {"1.log.json": json.dumps(head) + "\n"})

    facts = read_only_claim(ADAPTER, tmp_path)

    assert params_of(facts) == {
        "base": "x",
        "optimizer.type": "SGD",
        "optimizer.lr": 0.02,
        "lr2": "base * 2",
        "flip": True,
        "seed": 7,
    }
    assert [fact for fact in facts if isinstance(fact, Environment)] == [
        Environment("gpu", "A100"),
        Environment("python", "3.8"),
    ]


def test_a_configuration_that_nests_too_deeply_is_told(tmp_path: Path) -> None:
    deep = "a = " + "dict(b=" * 80 + "1" + ")" * 80 + "\n"
    write(tmp_path, {"vis_data/scalars.json": '{"acc": 1, "step": 2}\n', "vis_data/config.py": deep})

    facts = read_only_claim(ADAPTER, tmp_path)

    assert points_of(facts, "val/acc") == [(2, 1.0)]
    assert isinstance(params_of(facts).get("a", ""), str)


def test_an_unreadable_configuration_costs_only_itself(tmp_path: Path) -> None:
    write(tmp_path, {"vis_data/scalars.json": '{"acc": 1, "step": 2}\n'})
    os.mkfifo(tmp_path / "vis_data" / "config.py")

    facts = read_only_claim(ADAPTER, tmp_path)

    assert points_of(facts, "val/acc") == [(2, 1.0)]
    assert problems_of(facts) == ["config.py: this is not a regular file, it was not read"]


def test_a_folder_of_text_logs_is_a_dump_of_the_last(tmp_path: Path) -> None:
    line = "2021-08-12 17:28:35,839 - mmdet - INFO - "
    text = f"{line}Environment info:\nPython: 3.8\n\n{line}Config:\nlr = 0.1\n"
    write(tmp_path, {"20210812_172835.log": "x", "20210812_190306.log": text, "other.log": text})

    (claim,) = claims_below(ADAPTER, tmp_path)
    facts = read(ADAPTER, claim)

    assert (claim.role, os.path.basename(claim.path)) == (Role.DUMP, "20210812_190306.log")
    assert params_of(facts) == {"lr": 0.1}
    assert Environment("python", "3.8") in facts


@pytest.mark.parametrize(("text", "status"), [("", ReadStatus.EMPTY), ("Python: 3.8\n", ReadStatus.EOF)])
def test_a_text_log_without_a_configuration_has_no_params(tmp_path: Path, text: str, status: ReadStatus) -> None:
    line = "2026/11/23 07:22:18 - mmengine - INFO - \n"
    write(tmp_path, {"20210812_172835.log": line})
    (claim,) = claims_below(ADAPTER, tmp_path)
    write(tmp_path, {"20210812_172835.log": text})

    facts = read(ADAPTER, claim)

    assert params_of(facts) == {}
    assert cursor_of(facts).status is status
    os.remove(claim.path)
    assert cursor_of(read(ADAPTER, claim)).status is ReadStatus.UNREADABLE
