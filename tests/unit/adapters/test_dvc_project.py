import math
import os
import tarfile
from pathlib import Path

import pytest

from mlbench.adapters.dvc_project import ADAPTER
from mlbench.model import DataVersion, Layer, Param, Points, ReadStatus
from tests.paths import CORPORA, FORMATS, needs_corpora, needs_formats
from tests.unit.adapters.reading import (
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


@needs_corpora
def test_the_corpus_is_one_run() -> None:
    facts = read_only_claim(ADAPTER, CORPORA / "dvc-bank-churn")

    assert series_of(facts) == {"f1": (1, 0, 0, 0.5853051058530511), "roc_auc": (1, 0, 0, 0.8585411620999085)}
    assert params_of(facts)["train.params.n_estimators"] == 150
    assert params_of(facts)["base.cat_cols"] == ["Geography"]
    assert params_of(facts)["eval.perm_imp_model_path"] == "models/perm_imp.joblib"
    assert len([fact for fact in facts if isinstance(fact, Param) and fact.key == "data_split.test_size"]) == 1
    assert (
        DataVersion("dvc", "data/Churn_Modelling.csv", "73fba4fd85b6dbaf95c9d5e3836d3926", size_bytes=684860) in facts
    )
    assert str(fields_of(facts)["command"]).count(" && ") == 2


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    with tarfile.open(FORMATS / "dvc" / "repo.tar.gz") as archive:
        archive.extractall(tmp_path, filter="data")
    return tmp_path


@needs_formats
def test_it_agrees_with_what_is_known_of_the_sample(repository: Path) -> None:
    known = expected("dvc")

    facts = read_only_claim(ADAPTER, repository)

    assert_series(facts, known["dvclive_series"])  # type: ignore[arg-type]
    assert points_of(facts, "eval.auc") == [(0, 0.7)]
    assert points_of(facts, "eval.nested.f1") == [(0, 0.6)]
    assert params_of(facts)["num_leaves"] == 31
    assert {(fact.name, fact.version) for fact in facts if isinstance(fact, DataVersion)} == {
        ("data/train.csv", "8c7ecfcac1080b352496a9b412c4ab23"),
        ("imgs", "a6b6b743208966993fbda6bfd71627da.dir"),
        ("prepared", "648106722a7b633ae3a6f68f288f7299.dir"),  # the lock alone tells it
    }


def test_a_parameter_changed_since_the_last_run_is_only_a_default(tmp_path: Path) -> None:
    lock = (
        "stages:\n  t:\n    cmd: [a, b]\n    params:\n      params.yaml:\n        lr: 0.1\n        net: {width: 64}\n"
    )
    write(tmp_path, {"dvc.lock": lock, "params.yaml": "lr: 0.5\nnet:\n  width: 64\nseed: 3\n"})

    facts = read_only_claim(ADAPTER, tmp_path)

    found = [(fact.key, fact.value, fact.layer) for fact in facts if isinstance(fact, Param)]
    assert found == [
        ("lr", 0.1, Layer.CONFIG),
        ("net.width", 64, Layer.CONFIG),
        ("lr", 0.5, Layer.DEFAULT),
        ("seed", 3, Layer.CONFIG),
    ]
    assert fields_of(facts)["command"] == "a && b"


def test_files_that_dvc_yaml_names_are_read_with_their_templates_filled_in(tmp_path: Path) -> None:
    declared = (
        "vars: [out: eval]\nparams: [more.json]\nmetrics: ['${out}/scores.yaml']\nstages:\n  t:\n    wdir: sub\n"
        "    params: [lr, other.yaml: [a]]\n    metrics: [m.json: {cache: false}, '${nobody}.json', plots.csv]\n"
    )
    write(
        tmp_path,
        {
            "dvc.yaml": declared,
            "more.json": '{"b": 2}',
            "other.yaml": "a: 1\n",
            "eval/scores.yaml": "auc: 0.7\n",
            "sub/m.json": '{"loss": 1, "name": "x"}',
        },
    )

    facts = read_only_claim(ADAPTER, tmp_path)

    assert params_of(facts) == {"b": 2, "a": 1}
    assert series_of(facts) == {"scores.auc": (1, 0, 0, 0.7), "m.loss": (1, 0, 0, 1.0)}


def test_metrics_of_files_with_one_name_are_told_apart_by_their_folders(tmp_path: Path) -> None:
    write(tmp_path, {"dvc.yaml": "metrics: [a/m.json, b/m.json]\n", "a/m.json": '{"x": 1}', "b/m.json": '{"x": 2}'})

    facts = read_only_claim(ADAPTER, tmp_path)

    assert series_of(facts) == {"a/m.x": (1, 0, 0, 1.0), "b/m.x": (1, 0, 0, 2.0)}


def test_nothing_outside_of_the_project_is_opened(tmp_path: Path) -> None:
    declared = "metrics: [../secret.json, /etc/passwd.json, '']\nparams: [../secret.yaml]\n"
    write(tmp_path, {"p/dvc.yaml": declared, "secret.json": '{"x": 1}', "secret.yaml": "y: 2\n"})

    facts = read_only_claim(ADAPTER, tmp_path / "p")

    assert (series_of(facts), params_of(facts)) == ({}, {})


def test_series_of_dvclive_may_have_times_and_several_columns(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "dvc.yaml": "{}",
            "dvclive/metrics.json": '{"loss": 0.5, "only": {"last": 3}, "step": 7}',
            "dvclive/plots/metrics/loss.tsv": "timestamp\tstep\tloss\n1000\t0\t1.0\ninf\t1\t0.5\n\tx\t2\n",
            "dvclive/plots/metrics/readme.md": "x",
            "dvclive/scalars/old.tsv": "a\tb\n1\t2\n3\t?\n",
        },
    )

    facts = read_only_claim(ADAPTER, tmp_path)

    assert points_of(facts, "loss") == [(0, 1.0), (1, 0.5)]
    assert points_of(facts, "old/a") == [(0, 1.0), (1, 3.0)]
    assert points_of(facts, "old/b") == [(0, 2.0)]
    assert points_of(facts, "only/last") == [(7, 3.0)]
    walls = next(fact for fact in facts if isinstance(fact, Points) and fact.metric == "loss").wall_s
    assert walls[0] == 1.0
    assert math.isnan(walls[1])


def test_data_sets_are_found_in_folders_but_not_in_another_project_or_hidden(tmp_path: Path) -> None:
    pointer = "outs:\n- {}: c0ffee\n  path: x\n- path: unhashed\n"
    write(
        tmp_path,
        {
            "dvc.yaml": "",
            "x.dvc": pointer.format("etag"),
            "a/b/x.dvc": pointer.format("md5"),
            "a/b/c/d/x.dvc": pointer.format("md5"),
            "other/dvc.yaml": "",
            "other/x.dvc": pointer.format("md5"),
            ".hidden/x.dvc": pointer.format("md5"),
            "bad.dvc": "[",
        },
    )

    facts = read(ADAPTER, claims_below(ADAPTER, tmp_path)[0])

    assert [fact for fact in facts if isinstance(fact, DataVersion)] == [
        DataVersion("dvc", "a/b/x", "c0ffee"),
        DataVersion("dvc", "x", "c0ffee"),
    ]
    assert [problem.split(":")[0] for problem in problems_of(facts)] == ["bad.dvc"]


def test_what_cannot_be_read_is_told_and_the_rest_is_read(tmp_path: Path) -> None:
    write(
        tmp_path,
        {"dvc.lock": "a: [", "dvc.yaml": "metrics: [m.json, n.json]\n", "n.json": "{", "params.yaml": "lr: 1\n"},
    )
    os.mkfifo(tmp_path / "m.json")

    facts = read_only_claim(ADAPTER, tmp_path)

    assert params_of(facts) == {"lr": 1}
    assert [problem.split(":")[0] for problem in problems_of(facts)] == ["dvc.lock", "m.json", "n.json"]
    assert cursor_of(facts).status is ReadStatus.DAMAGED


def test_a_project_that_has_gone_is_told(tmp_path: Path) -> None:
    write(tmp_path, {"dvc.lock": "{}"})
    (claim,) = claims_below(ADAPTER, tmp_path)
    os.remove(tmp_path / "dvc.lock")

    facts = read(ADAPTER, claim)

    assert problems_of(facts) == [f"{tmp_path.name}: neither dvc.lock nor dvc.yaml is there any more"]


def test_a_lock_of_dvc_1_has_its_stages_at_the_root(tmp_path: Path) -> None:
    write(tmp_path, {"dvc.lock": "train:\n  cmd: python t.py\n  params:\n    params.yaml:\n      train.lr: 0.1\n"})

    facts = read_only_claim(ADAPTER, tmp_path)

    assert params_of(facts) == {"train.lr": 0.1}
    assert fields_of(facts) == {"command": "python t.py"}


def test_an_empty_lock_locks_nothing(tmp_path: Path) -> None:
    write(tmp_path, {"dvc.yaml": "stages: {train: {cmd: python t.py, params: [lr]}}\n", "dvc.lock": "{}\n",
                     "params.yaml": "lr: 0.1\n"})  # fmt: skip

    assert params_of(read_only_claim(ADAPTER, tmp_path))["lr"] == 0.1
