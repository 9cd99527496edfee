"""Answers to draw: small, with one of everything."""

from collections.abc import Sequence
from datetime import datetime

import numpy as np

from mlbench.queries.answers import (
    BlobHead,
    Column,
    DiffAnswer,
    FactRow,
    LayeredParam,
    MetricCell,
    MetricRow,
    NoteText,
    ParamCell,
    ParamRow,
    ProblemLine,
    RunHead,
    RunRow,
    RunsAnswer,
    SeriesAnswer,
    SeriesHead,
    ShowAnswer,
    SourceLine,
    Value,
)
from mlbench.queries.report_answer import ReportAnswer


def head(name: str, *, path: str = "", run_id: str = "", is_baseline: bool = False, **rest: object) -> RunHead:
    run_id = run_id or f"id-{name}"
    return RunHead(run_id, f"key-{run_id}", "f", name, path or f"/logs/{name}", "finished", is_baseline, **rest)  # type: ignore[arg-type]


COLUMNS = (
    Column("status", "status", "field"),
    Column("params.lr", "lr", "param"),
    Column("params.opt", "opt", "param"),
    Column("metrics.val/loss", "val/loss", "metric", "min"),
    Column("metrics.acc", "acc", "metric", "max"),
    Column("duration", "duration", "field"),
    Column("started", "started", "field"),
    Column("tag", "tag", "tag"),
)
STARTED = datetime(2026, 11, 2, 14, 20)  # noqa: DTZ001 - answers hold naive UTC


def runs_answer() -> RunsAnswer:
    rows: list[tuple[RunHead, tuple[Value, ...]]] = [
        (head("alpha", is_baseline=True), ("finished", 0.1, "adam", 0.5, 0.91, 3725.0, STARTED, ("best", "v2"))),
        (head("beta"), ("failed", 0.00012345, "sgd", float("nan"), None, 42.0, STARTED, ())),
        (head("gamma_日本"), ("running", 1e-5, "adam", 0.25, 0.875, None, None, ("a|b",))),
    ]
    return RunsAnswer(COLUMNS, tuple(RunRow(run, values) for run, values in rows), 3, 5, ("lr is params.lr",))


def param(key: str, *raws: str | None, values: Sequence[Value] | None = None) -> ParamRow:
    shown: Sequence[Value] = [None] * len(raws) if values is None else values
    cells = tuple(ParamCell(raw, value) for raw, value in zip(raws, shown, strict=True))
    return ParamRow(key, cells, len(set(raws)) > 1)


def diff_answer() -> DiffAnswer:
    runs = (head("alpha", is_baseline=True), head("beta"), head("gamma"))
    params = (
        param("optim.lr", "0.1", "0.2", "1e-2", values=(0.1, 0.2, 0.01)),
        param("optim.name", "adam", "sgd", "adam", values=("adam", "sgd", "adam")),
        param("layers", "[1, 2]", "[1, 2]", None),
        param("note", "", "x", ""),
        param("seed", "1", "1", "1", values=(1, 1, 1)),
    )
    loss = MetricRow(
        "val/loss",
        "min",
        "guessed",
        (
            MetricCell(0.5, 100, 0.4, 90, n=10),
            MetricCell(0.25, 100, 0.2, 80, -0.2, -50.0, True, 10),
            MetricCell(float("nan"), 100, 0.6, 50, 0.2, 50.0, False, 10, 3, 1),
        ),
    )
    steps = MetricRow(
        "speed", "", "", (MetricCell(10.0, 5), MetricCell(12.0, 5, delta=2.0, percent=20.0), MetricCell(None))
    )
    code = (
        FactRow("commit", ("a41f09c", "a41f09c", "b7720de"), True),
        FactRow("branch", ("main", None, "main"), True),
        FactRow("remote", ("https://example.org/x", "https://example.org/x", "https://example.org/x"), False),
    )
    return DiffAnswer(
        runs,
        params,
        (loss, steps),
        code,
        (FactRow("python", ("3.11", "3.12", "3.11"), True),),
        (FactRow("digits", ("v1", "v1", "v2"), True),),
        n_equal_params=6,
        n_equal_metrics=2,
    )


def series(
    name: str, metric: str, values: Sequence[float], *, run: RunHead | None = None, **rest: object
) -> SeriesAnswer:
    n = len(values)
    fields: dict[str, object] = {
        "steps": np.arange(n, dtype=np.int64) * 10,
        "wall_s": 1_700_000_000.0 + np.arange(n, dtype=np.float64) * 60,
        "values": np.array(values, dtype=np.float64),
        "n_raw": n,
        **rest,
    }
    return SeriesAnswer(run or head(name), metric, **fields)  # type: ignore[arg-type]


def show_answer() -> ShowAnswer:
    return ShowAnswer(
        head("alpha", is_baseline=True, tags=("best",)),
        (
            ("project", "digits"),
            ("status", "failed"),
            ("started", STARTED),
            ("duration", 3725.0),
            ("host", ""),
        ),
        (
            LayeredParam("lr", "0.1", 0.1, "config", "/logs/alpha/config.yaml", 3, False),
            LayeredParam("lr", "0.2", 0.2, "cli", "/logs/alpha/argv", None, True),
            LayeredParam("layers", "[1, 2]", None, "config", "/logs/alpha/config.yaml", 4, True),
        ),
        (
            SeriesHead("val/loss", 10, 14, 0, 100, 0.5, 0.4, 90, 2.0, 0, 3, 1, 1, 2, "alpha", "val/loss", "min"),
            SeriesHead("acc", 10, 10, 0, 100, 0.9, None, None, 0.95, 80, 0, 0, 0, 0, "alpha", "acc", "max"),
        ),
        (BlobHead("image", "confusion", 3, 0, 100, "jpeg, png", 27_400),),
        (("commit", "a41f09c"), ("is_dirty", True)),
        (("python", "3.11"),),
        (("digits", "v1"),),
        (("mlflow.user", "ada"),),
        (NoteText("lr 2e-1 wins\nreally", "ada", 1_700_000_000.0, "mlbench"), NoteText("old", "", None, "imported")),
        (
            SourceLine("/logs/alpha/events.out", "tensorboard", "eof", 120, 48_000),
            SourceLine("/logs/alpha/bad.yaml", "config", "damaged", 0, 12),
        ),
        problems(),
    )


def problems() -> tuple[ProblemLine, ...]:
    return (
        ProblemLine("/logs/alpha/bad.yaml", "line 12", "'lr' is given twice.", "The last one is used", "id-alpha"),
        ProblemLine("", "", "the disk was full", ""),
    )


def report_answer() -> ReportAnswer:
    decay = [1.0, 0.6, 0.5, 0.45, 0.4, 0.5]
    return ReportAnswer(
        "Winners & <losers>",
        "metrics.val/loss < 1",
        runs_answer(),
        diff_answer(),
        (
            series("alpha", "val/loss", decay),
            series("beta", "val/loss", [value / 2 for value in decay]),
            series("gamma", "val/loss", [1.0, 0.8, float("nan"), 0.6, float("inf"), float("nan")]),
        ),
        problems(),
        (
            ("alpha", "python train.py --lr 0.1"),
            ("beta", "python train.py --lr 0.2"),
            ("gamma", "python train.py --lr 0.1"),
        ),
        STARTED,
        "cafe0123",
    )
