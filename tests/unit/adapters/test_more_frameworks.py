"""CatBoost's record, fairseq's log, Ray Tune's reports, Trackio, SB3's files, Unity's timers: one thing each."""

import json
import math
import sqlite3
import zipfile
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from mlbench.adapters import catboost, fairseq, ray_tune, sb3_evaluations, sb3_model, trackio, unity
from mlbench.model import Artifact, Environment, Points, ReadStatus, Role
from tests.paths import CORPORA, FORMATS, needs_corpora, needs_formats
from tests.unit.adapters.reading import (
    claims_below,
    cursor_of,
    fields_of,
    params_of,
    points_of,
    problems_of,
    read,
    read_only_claim,
    series_of,
    write,
)

ROW = '{"learn":[0.62],"iteration":0,"passed_time":0.05,"remaining_time":0.2,"test":[0.63,0.85]}'
META = (
    '{"test_sets":["test"],"test_metrics":[{"best_value":"Min","name":"Logloss"},{"best_value":"Max","name":"AUC"}],'
    '"learn_metrics":[{"best_value":"Min","name":"Logloss"}],"iteration_count":2,"learn_sets":["learn"]}'
)


def test_catboost_takes_from_its_record_what_no_event_file_says(tmp_path: Path) -> None:
    record = f'{{\n"meta":{META},\n"iterations":[\n{ROW}\n]}}'
    write(tmp_path, {"a/catboost_training.json": record, "b/catboost_training.json": record,
                     "b/learn/events.out.tfevents": b""})  # fmt: skip

    alone, beside = (read_only_claim(catboost.ADAPTER, tmp_path / name) for name in "ab")

    assert set(series_of(alone)) == {"learn/Logloss", "test/Logloss", "test/AUC", "passed_time_s"}
    assert set(series_of(beside)) == {"test/Logloss", "test/AUC", "passed_time_s"}
    assert params_of(alone) == {"iterations": 2}
    assert "status" not in fields_of(alone)


def test_catboost_is_read_while_it_trains(tmp_path: Path) -> None:
    write(tmp_path, {"catboost_training.json": f'{{\n"meta":{META},\n"iterations":[\n{ROW},\n{{"learn":[0.5'})

    facts = read_only_claim(catboost.ADAPTER, tmp_path)

    assert series_of(facts)["test/AUC"] == (1, 0, 0, 0.85)
    assert cursor_of(facts).status is ReadStatus.TRUNCATED


def test_fairseq_in_its_simple_form(tmp_path: Path) -> None:
    text = (
        "2021-05-01 12:00:00 | INFO | fairseq_cli.train | {'_name': None, 'common': {'seed': 1, 'fp16': True}}\n"
        "2021-05-01 12:00:09 | INFO | train_inner | epoch 001:    100 / 1000 loss=16.4, ppl=9e+04, num_updates=100, lr=1e-05\n"
        "2021-05-01 12:01:00 | INFO | valid | epoch 001 | valid on 'dev' subset | loss 10.1 | num_updates 500\n"
        "2021-05-01 12:01:00 | INFO | train | epoch 001 | loss 11.2 | num_updates 500 | wall 300\n"
    )

    facts = read_only_claim(fairseq.ADAPTER, write(tmp_path, {"train.log": text}))

    assert points_of(facts, "loss") == [(100, 16.4)]
    assert points_of(facts, "ppl") == [(100, 90000.0)]
    assert points_of(facts, "dev/loss") == [(500, 10.1)]
    assert points_of(facts, "train/wall") == [(500, 300.0)]
    assert params_of(facts) == {"_name": None, "common.seed": 1, "common.fp16": True}


def test_fairseq_numbers_that_are_texts_and_hydra_lines(tmp_path: Path) -> None:
    text = '[2021-05-01 12:00:09,123][train_inner][INFO] - {"epoch": 1, "loss": "2.5", "num_updates": "3"}\n'

    facts = read_only_claim(fairseq.ADAPTER, write(tmp_path, {"hydra_train.log": text}))

    (points,) = [fact for fact in facts if isinstance(fact, Points)]
    assert (points.metric, points.steps.tolist(), points.values.tolist()) == ("loss", [3], [2.5])
    assert points.wall_s.tolist() == [1619870409.0]


def test_fairseq_before_0_10_has_no_times(tmp_path: Path) -> None:
    text = (
        "Namespace(arch='transformer', lr=[0.001], seed=3)\n| [en] dictionary: 34983 types\n"
        "| epoch 001:    100 / 2500 loss=9.5, nll_loss=8.9, ppl=480.1, wps=8000, ups=3, num_updates=101, lr=1.3e-05\n"
        "| epoch 001 | loss 8.25 | nll_loss 7.5 | ppl 181.02 | wps 770 | num_updates 2500 | lr 1e-05 | gnorm 2.5\n"
        "| epoch 001 | valid on 'valid' subset | loss 7.5 | nll_loss 6.75 | ppl 107.63 | num_updates 2500\n"
        "| saved checkpoint checkpoints/checkpoint1.pt (epoch 1 @ 2500 updates) (writing took 12.9 seconds)\n"
        "epoch 002 | valid on 'test' subset | loss 6.5 | wps 50387.3 | num_updates 5000 | best_loss 6.5\n"
    )

    facts = read_only_claim(fairseq.ADAPTER, write(tmp_path, {"train.log": text}))

    assert points_of(facts, "loss") == [(101, 9.5)]
    assert points_of(facts, "train/loss") == [(2500, 8.25)]
    assert points_of(facts, "valid/ppl") == [(2500, 107.63)]
    assert points_of(facts, "test/best_loss") == [(5000, 6.5)]
    assert params_of(facts) == {"arch": "transformer", "lr": [0.001], "seed": 3}
    assert problems_of(facts) == []


def test_ray_steps_by_iterations_or_by_timesteps(tmp_path: Path) -> None:
    row = {"training_iteration": 2, "loss": 0.5, "timestamp": 1795418500, "done": True, "pid": 4, "trial_id": "a"}
    write(tmp_path / "a", {"result.json": json.dumps(row) + "\n", "params.json": '{"lr": 0.1}'})
    rllib = {**row, "timesteps_total": 4000, "config": {"lr": 0.2}, "info": {"kl": 0.01}}
    write(tmp_path / "b", {"result.json": json.dumps(rllib) + "\n"})

    tune, rl = (read_only_claim(ray_tune.ADAPTER, tmp_path / name) for name in "ab")

    assert series_of(tune) == {"loss": (1, 2, 2, 0.5)}
    assert points_of(rl, "info/kl") == [(4000, 0.01)]
    assert (params_of(tune), params_of(rl)) == ({}, {"lr": 0.2})
    assert fields_of(tune)["status"] == "finished"


@needs_formats
def test_trackio_has_a_run_for_each_of_its_runs() -> None:
    claims = claims_below(trackio.ADAPTER, FORMATS / "trackio")

    first, second = (read(trackio.ADAPTER, claim) for claim in claims)

    assert (fields_of(first)["name"], fields_of(second)["name"]) == ("lr0.1", "lr0.01")
    assert series_of(first)["inf"] == (10, 0, 9, math.inf)
    assert params_of(second) == {"learning_rate": 0.01, "net.width": 64}
    assert fields_of(first)["project"] == "demo"


def test_an_old_trackio_knows_runs_by_name_and_a_new_one_its_artifacts(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "p.db")) as connection, connection:
        connection.executescript(
            "CREATE TABLE metrics (id INTEGER PRIMARY KEY, run_name TEXT, timestamp TEXT, step INTEGER, metrics TEXT);"
            "INSERT INTO metrics VALUES (1, 'a', '2026-11-23T07:22:05+00:00', 3, '{\"x\": \"NaN\"}'), (2, 'a', '', 4, 'no');"
        )

    facts = read_only_claim(trackio.ADAPTER, tmp_path)

    assert points_of(facts, "x")[0][0] == 3
    assert problems_of(facts) == ["p.db: 1 row holds no JSON object and was left out (row 2)"]
    assert [fact for fact in facts if isinstance(fact, Artifact)] == []


@needs_formats
def test_of_a_model_only_plain_values_are_taken() -> None:
    facts = read_only_claim(sb3_model.ADAPTER, FORMATS / "sb3")

    found = params_of(facts)
    assert (found["learning_rate"], found["n_steps"], found["seed"]) == (0.001, 128, 0)
    assert not {"policy_class", "start_time", "_n_updates", "clip_range"} & set(found)
    versions = {fact.key: fact.value for fact in facts if isinstance(fact, Environment)}
    assert versions["package:stable-baselines3"] == "2.9.2"


def test_of_several_models_the_final_one_is_read(tmp_path: Path) -> None:
    for name in ("best_model.zip", "rl_model_1000_steps.zip", "CartPole-v1.zip"):
        with zipfile.ZipFile(tmp_path / name, "w") as made:
            made.writestr("data", "{}")
    with zipfile.ZipFile(tmp_path / "zzz.zip", "w") as made:
        made.writestr("other", "{}")

    assert [Path(claim.path).name for claim in claims_below(sb3_model.ADAPTER, tmp_path)] == ["CartPole-v1.zip"]


@needs_formats
def test_evaluations_are_means_over_episodes() -> None:
    facts = read_only_claim(sb3_evaluations.ADAPTER, FORMATS / "rlzoo")

    assert points_of(facts, "evaluations/mean_reward") == [(300, 53.8), (600, 47.6)]
    assert set(series_of(facts)) == {f"evaluations/{name}" for name in ("mean_reward", "std_reward", "mean_ep_length")}


@needs_corpora
def test_evaluations_of_stable_baselines_2_have_a_third_axis() -> None:
    folder = CORPORA / "sb3-ppo-three-seeds" / "logs" / "ppo" / "CartPole-v1_3"
    with np.load(folder / "evaluations.npz", allow_pickle=False) as file:
        expected = list(
            zip(file["timesteps"].tolist(), file["results"].astype(float).mean(axis=(1, 2)).tolist(), strict=True)
        )

    facts = read_only_claim(sb3_evaluations.ADAPTER, folder)

    assert points_of(facts, "evaluations/mean_reward") == expected
    assert problems_of(facts) == []


@pytest.mark.parametrize("array", [np.array([{"a": 1}], dtype=object), np.array(["a"]), np.zeros((2, 2))])
def test_evaluations_that_are_pickles_or_no_row_are_refused(tmp_path: Path, array: object) -> None:
    np.savez(tmp_path / "evaluations.npz", timesteps=array)  # type: ignore[arg-type]

    facts = read_only_claim(sb3_evaluations.ADAPTER, tmp_path)

    assert series_of(facts) == {}
    assert len(problems_of(facts)) == 1


@needs_corpora
def test_unity_tells_when_how_and_with_what() -> None:
    folder = CORPORA / "unity-ml-agents" / "results" / "5-cpu"

    facts = [fact for claim in claims_below(unity.ADAPTER, folder) for fact in read(unity.ADAPTER, claim)]

    assert {claim.role for claim in claims_below(unity.ADAPTER, folder)} == {Role.CONTEXT}
    assert fields_of(facts)["started"] == 1624010436.0
    assert params_of(facts) == {"checkpoint.Seeker.steps": 1840}
    assert {fact.key: fact.value for fact in facts if isinstance(fact, Environment)}["package:mlagents"] == "0.27.0"


def test_numbers_that_no_conversion_knows_are_taken_as_they_come(tmp_path: Path) -> None:
    odd = np.array([[0x7FA00000, 0x3F800000]], dtype=np.uint32).view(np.float32)  # a NaN that signals, and 1
    np.savez(tmp_path / "evaluations.npz", timesteps=np.array([5]), results=odd, ep_lengths=np.array([[1, 1]]))

    facts = read_only_claim(sb3_evaluations.ADAPTER, tmp_path)

    n, first, last, value = series_of(facts)["evaluations/mean_reward"]
    assert (n, first, last, math.isnan(value)) == (1, 5, 5, True)
