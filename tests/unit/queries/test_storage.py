"""Keys with a column and keys that are read from their rows give the same answers."""

from __future__ import annotations

import pytest

from mlbench.catalog import pivot
from mlbench.queries.answers import RunsAnswer
from mlbench.queries.names import metric_names
from mlbench.queries.runs import find_runs
from tests.unit.queries.conftest import FakeReader, fill

COLUMNS = ("params.lr", "params.amp", "params.ckpt", "params.`model.layers`", "params.big_seed", "metrics.val/loss",
           "min(metrics.val/loss)", "max(metrics.acc)", "metrics.acc at min(metrics.val/loss)")  # fmt: skip
FILTERS = (
    "",
    "params.lr > 0.001",
    "params.lr = 1e-3",
    "params.lr = auto",
    "params.lr is null",
    "params.ckpt is null",
    "params.ckpt = None",
    "params.amp = TRUE",
    "params.optimizer != 'sgd' and metrics.val/loss < 0.4",
    "not metrics.val/loss > 0.3",
    "max(metrics.acc) > 0.8 or nan(metrics.val/loss)",
    "params.big_seed = 12345678901234567890",
    "params.lr < params.`optim.lr`",
    "resnet",
    "params.optimizer ~ '^a'",
)


def answers(filters: tuple[str, ...]) -> list[RunsAnswer]:
    reader = FakeReader()
    fill(reader)
    return [
        find_runs(reader, where=where, columns=COLUMNS, sort=["metrics.val/loss", "params.lr:desc"], limit=limit)
        for where in filters
        for limit in (None, 3)
    ]


@pytest.mark.parametrize("n_pages", [0, 1])
def test_keys_without_a_column_answer_as_keys_with_one(monkeypatch: pytest.MonkeyPatch, n_pages: int) -> None:
    wide = answers(FILTERS)
    monkeypatch.setattr(pivot, "MAX_PAGES", n_pages)
    monkeypatch.setattr(pivot, "SLOTS", 2)

    assert repr(answers(FILTERS)) == repr(wide)  # as text, since NaN equals NaN there


def test_metrics_without_a_column_are_ranked_as_those_with_one(monkeypatch: pytest.MonkeyPatch) -> None:
    reader = FakeReader()
    fill(reader)
    ids = [run_id for (run_id,) in reader.rows("SELECT run_id FROM run ORDER BY run_id LIMIT 5")]
    wide = metric_names(reader, ids)
    monkeypatch.setattr(pivot, "MAX_PAGES", 0)
    rows = FakeReader()
    fill(rows)

    assert metric_names(rows, ids) == wide
