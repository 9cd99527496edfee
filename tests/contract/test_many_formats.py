"""Genuine files of five trackers and frameworks in one table: one query over all, and comparisons across them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from mlbench.main import run
from tests.paths import FORMATS, needs_formats

SYSTEMS = ("mlflow", "wandb", "tfevents", "hydra", "lightning", "guild")
Ask = Callable[..., list[dict[str, object]]]

pytestmark = needs_formats


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("formats")
    for system in SYSTEMS:
        ignored = shutil.ignore_patterns("make*.py", "app.py", "train.py")
        shutil.copytree(FORMATS / system, folder / "logs" / system, ignore=ignored)
    assert run(["--home", str(folder / "home"), "ingest", str(folder / "logs"), "--strict"]) == 0
    return folder / "home"


@pytest.fixture
def ask(home: Path, capsys: pytest.CaptureFixture[str]) -> Ask:
    def asked(*arguments: str) -> list[dict[str, object]]:
        capsys.readouterr()
        code = run(["--home", str(home), *arguments, "--format", "json"])
        out, err = capsys.readouterr()
        assert code == 0, err
        found: list[dict[str, object]] = json.loads(out)
        return found

    return asked


def test_one_query_finds_runs_of_five_formats(ask: Ask) -> None:
    rows = ask("query", "params.learning_rate <= 0.1 or params.lr = 0.1", "--columns", "adapters")

    adapters = {name for row in rows for name in str(row["adapters"]).split(",")}
    assert {"mlflow", "mlflow-sqlite", "wandb", "tensorboard", "hydra", "csv", "guild"} <= adapters


def ids_of(ask: Ask, adapter: str, name: str = "lr0") -> list[str]:
    rows = ask("query", "--columns", "id", "--columns", "adapters", "--columns", "name")
    return [str(row["id"]) for row in rows if row["adapters"] == adapter and name in str(row["name"])]


def test_two_runs_of_mlflow_differ_in_what_was_changed(ask: Ask) -> None:
    first, second = ids_of(ask, "mlflow-sqlite")

    rows = ask("diff", first, second)

    assert [row["key"] for row in rows if row["section"] == "params"] == ["learning_rate"]


def test_a_run_of_wandb_is_compared_with_one_of_tensorboard(ask: Ask) -> None:
    (one, *_others), (other,) = ids_of(ask, "wandb"), ids_of(ask, "tensorboard", "torch_hparams")

    rows = ask("diff", one, other)

    keys = {str(row["key"]) for row in rows}
    assert {"learning_rate", "lr"} <= keys
    assert {row["section"] for row in rows} >= {"params", "best", "last"}
