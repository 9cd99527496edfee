import json
import os
from pathlib import Path

import pytest

from mlbench.adapters.sacred import ADAPTER
from mlbench.model import Environment, GitState, ImportedTag, JsonValue, Layer, Param, Points, ReadStatus
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


def sacred_folder(folder: Path, **files: JsonValue) -> Path:
    contents = {"run": {"experiment": {}}, "config": {}, **files}
    return write(folder, {f"{name}.json": json.dumps(value) for name, value in contents.items()})


@needs_corpora
def test_the_corpus_holds_4_runs() -> None:
    claims = claims_below(ADAPTER, CORPORA / "sacred-pymarl")

    assert sorted(os.path.basename(claim.run_folder) for claim in claims) == ["426", "476", "512", "523"]


@needs_corpora
def test_lists_of_pymarl_have_their_steps_beside_them() -> None:
    facts = read_only_claim(ADAPTER, CORPORA / "sacred-pymarl" / "results" / "sacred" / "476")

    assert series_of(facts)["test_return_mean"] == (
        101,
        points_of(facts, "test_return_mean")[0][0],
        5003488,
        11.408239572097894,
    )
    assert series_of(facts)["loss"][3] == 0.02438332326710224
    assert not [name for name in series_of(facts) if name.endswith("_T")]
    assert params_of(facts)["env_args.goal_reward"] == 200
    assert fields_of(facts)["status"] == "running"
    assert Environment("gpu", "NVIDIA GeForce GTX 1070") in facts
    assert problems_of(facts) == []


@needs_corpora
def test_times_are_utc_and_the_commit_is_recorded() -> None:
    facts = read_only_claim(ADAPTER, CORPORA / "sacred-pymarl" / "results" / "sacred" / "426")

    assert fields_of(facts) == {
        "project": "pymarl",
        "entry_point": "main.py",
        "host": "Alexs-MacBook-Pro-2.local",
        "status": "killed",
        "started": 1648822418.995558,
        "ended": 1648833748.788896,
    }
    (git,) = [fact for fact in facts if isinstance(fact, GitState)]
    assert (git.commit, git.is_dirty) == ("dfbd481ec41c8a847895605cd624379bcb68f922", True)


@needs_formats
def test_it_agrees_with_what_is_known_of_the_sample() -> None:
    known = expected("sacred")["runs_detail"]
    claims = claims_below(ADAPTER, FORMATS / "sacred")

    assert len(claims) == 3
    for claim in claims:
        facts, want = read(ADAPTER, claim), known[os.path.basename(claim.path)]  # type: ignore[index]
        assert_series(facts, want["series"])
        assert_params(facts, want["params"])
        assert fields_of(facts).get("note") == want["comment"]
        tags = [fact.value for fact in facts if isinstance(fact, ImportedTag)]
        assert tags == ([want["error"]] if want["error"] else [])
        result = points_of(facts, "result")
        assert result == ([(0, want["result"])] if want["result"] is not None else [])


@needs_formats
def test_updates_are_overrides_and_points_have_their_times() -> None:
    facts = read_only_claim(ADAPTER, FORMATS / "sacred" / "my_runs" / "2")

    overrides = {fact.key: fact.value for fact in facts if isinstance(fact, Param) and fact.layer is Layer.OVERRIDE}
    assert overrides == {"lr": 0.5, "net.width": 128}
    batch = next(fact for fact in facts if isinstance(fact, Points))
    assert batch.wall_s[0] == pytest.approx(1795418446.323633)


def test_older_sacred_has_updates_only_as_words(tmp_path: Path) -> None:
    sacred_folder(tmp_path, run={"heartbeat": None, "meta": {"options": {"UPDATE": ["lr=0.5", "flag", "name=x y"]}}})

    facts = read_only_claim(ADAPTER, tmp_path)

    assert params_of(facts) == {"lr": 0.5, "name": "x y"}


def test_forms_of_jsonpickle_become_plain_values(tmp_path: Path) -> None:
    deep: JsonValue = 1
    for _ in range(50):
        deep = [deep]
    config: JsonValue = {
        "array": {"py/object": "numpy.ndarray", "dtype": "int64", "values": [1, 2]},
        "number": {"py/object": "numpy.float64", "dtype": "float64", "value": 0.5},
        "tuple": {"py/tuple": [1, {"py/set": [2]}]},
        "type": {"py/type": "torch.nn.ReLU"},
        "object": {"py/object": "my.Config", "width": 3},
        "reduced": {"py/reduce": [{"py/function": "os.system"}]},
        "deep": deep,
    }
    sacred_folder(tmp_path, config=config)

    found = params_of(read_only_claim(ADAPTER, tmp_path))

    assert {key: found[key] for key in found if key != "deep"} == {
        "array": [1, 2],
        "number": 0.5,
        "tuple": [1, [2]],
        "type": "torch.nn.ReLU",
        "object.width": 3,
        "reduced": None,
    }


def test_metrics_of_info_come_second_and_odd_steps_are_places(tmp_path: Path) -> None:
    sacred_folder(
        tmp_path,
        metrics={"loss": {"steps": [5, "x"], "timestamps": ["soon"], "values": [1, 2, "three", None]}},
        info={
            "loss": [9, 9],
            "acc": [0.5, None, 0.7],
            "acc_T": [10, 20],
            "best": 0.7,
            "nested": {"f1": 0.6},
            "lone_T": [3],
        },
        run={"artifacts": [], "result": {"score": 2}},
    )

    facts = read_only_claim(ADAPTER, tmp_path)

    assert points_of(facts, "loss") == [(5, 1.0), (1, 2.0)]
    assert points_of(facts, "acc") == [(10, 0.5), (2, 0.7)]
    assert points_of(facts, "lone_T") == [(0, 3.0)]
    assert points_of(facts, "nested.f1") == [(0, 0.6)]
    assert points_of(facts, "result.score") == [(0, 2.0)]


def test_the_environment_s_variables_are_never_read(tmp_path: Path) -> None:
    host: JsonValue = {"ENV": {"API_TOKEN": "do-not-ingest"}, "os": [], "hostname": "node1", "gpus": {"gpus": [3]}}
    sacred_folder(
        tmp_path, run={"experiment": {"dependencies": ["numpy==2", "odd"], "repositories": [{}]}, "host": host}
    )

    facts = read_only_claim(ADAPTER, tmp_path)

    assert "do-not-ingest" not in repr(facts)
    assert [fact for fact in facts if isinstance(fact, Environment)] == [
        Environment("hostname", "node1"),
        Environment("package:numpy", "2"),
    ]


def test_a_run_json_of_another_program_is_left_alone(tmp_path: Path) -> None:
    write(tmp_path, {"a/run.json": '{"speed": 3}', "a/config.json": "{}", "b/run.json": '{"experiment": 1}'})

    assert claims_below(ADAPTER, tmp_path) == []


def test_what_cannot_be_read_is_told_and_the_rest_is_read(tmp_path: Path) -> None:
    write(tmp_path, {"run.json": "", "config.json": '{"lr": 1}', "metrics.json": "[]", "info.json": "{"})

    facts = read_only_claim(ADAPTER, tmp_path)

    assert params_of(facts) == {"lr": 1}
    assert problems_of(facts) == [
        "run.json: the file is empty",
        "metrics.json: it holds no JSON object",
        "info.json: this is not JSON: expecting property name enclosed in double quotes in line 1",
    ]
    assert cursor_of(facts).status is ReadStatus.UNREADABLE
