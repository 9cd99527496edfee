"""Files that the user's mapping tells how to read: every format, wide, long and nested."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mlbench.adapters.mapping import ADAPTER
from mlbench.model import Fact, Points
from tests.unit.adapters.reading import claims_below, fields_of, params_of, points_of, problems_of, read, write


def facts_of(folder: Path, rule: str, files: dict[str, str | bytes]) -> list[list[Fact]]:
    """Of each run the facts, by a mapping with one rule."""
    text = "files:\n  - " + "\n    ".join(rule.splitlines()) + "\n"
    write(folder, {"mlbench-mapping.yaml": text, **files})
    return [read(ADAPTER, claim) for claim in claims_below(ADAPTER, folder) if claim.problem is None]


def test_a_wide_csv_has_step_wall_time_metrics_and_params(tmp_path: Path) -> None:
    (facts,) = facts_of(
        tmp_path, "match: a.csv\nstep: t\nwall: ms\nwall_unit: ms\nparams: [lr, who]\nrename: {err: train/loss}\nignore: [junk*]",
        {"a.csv": "t,ms,lr,who,err,junk1\n5,1700000000000,1e-3,me,0.5,9\n7,1700000001500,1e-3,me,nan,9"},
    )  # fmt: skip

    assert params_of(facts) == {"lr": 0.001, "who": "me"}
    assert [point[0] for point in points_of(facts, "train/loss")] == [5, 7]
    walls = [fact.wall_s.tolist() for fact in facts if isinstance(fact, Points)]
    assert walls == [[1_700_000_000.0, 1_700_000_001.5]]
    assert problems_of(facts) == []


def test_separators_comments_and_tables_without_a_header(tmp_path: Path) -> None:
    (facts,) = facts_of(
        tmp_path, "match: a.dat\nstep: it\ncolumns: [it, loss]\ncomment: '%'",
        {"a.dat": "% made by us\n1   0.5\n2\t0.25\n\n% end\n"},
    )  # fmt: skip

    assert points_of(facts, "loss") == [(1, 0.5), (2, 0.25)]


def test_long_rows_become_a_run_for_each_value_and_a_metric_for_each_name(tmp_path: Path) -> None:
    a, b = facts_of(
        tmp_path, "match: a.csv\nrun: who\nstep: t\nmetric: what\nvalue: is\nparams: [lr]\nmetrics: [loss]",
        {"a.csv": "who,t,what,is,lr\na,0,loss,1,0.1\nb,0,loss,2,0.2\na,1,loss,0.5,0.1\na,1,acc,0.9,0.1\n"},
    )  # fmt: skip

    assert (fields_of(a)["name"], points_of(a, "loss"), params_of(a)) == ("a", [(0, 1.0), (1, 0.5)], {"lr": 0.1})
    assert (fields_of(b)["name"], points_of(b, "loss"), params_of(b)) == ("b", [(0, 2.0)], {"lr": 0.2})
    assert points_of(a, "acc") == []


def test_long_rows_without_a_step_are_counted_by_metric(tmp_path: Path) -> None:
    (facts,) = facts_of(
        tmp_path, "match: a.jsonl\nmetric: k\nvalue: v",
        {"a.jsonl": '{"k": "x", "v": 1}\n{"k": "y", "v": 2}\n{"k": "x", "v": 3}\n'},
    )  # fmt: skip

    assert points_of(facts, "x") == [(0, 1.0), (1, 3.0)]
    assert points_of(facts, "y") == [(0, 2.0)]


def test_json_with_lists_in_lists_is_opened_level_by_level(tmp_path: Path) -> None:
    a, b = facts_of(
        tmp_path, "match: a.json\nrows: [runs, history]\nrun: id\nstep: n\nparams: [cfg/lr]",
        {"a.json": '{"runs": [{"id": 1, "cfg": {"lr": 0.1}, "history": [{"n": 1, "m": {"loss": 2}}, {"n": 2, "m": {"loss": 1}}]},'
                   ' {"id": 2, "cfg": {"lr": 0.2}, "history": [{"n": 1, "m": {"loss": 3}}]}]}'},
    )  # fmt: skip

    assert (points_of(a, "m/loss"), params_of(a)) == ([(1, 2.0), (2, 1.0)], {"cfg.lr": 0.1})
    assert (points_of(b, "m/loss"), params_of(b)) == ([(1, 3.0)], {"cfg.lr": 0.2})


def test_lists_of_numbers_are_a_table_by_columns(tmp_path: Path) -> None:
    (facts,) = facts_of(
        tmp_path, "match: history.json\nparams: [layers]",
        {"history.json": '{"loss": [0.9, 0.5, NaN], "acc": [0.1, 0.4], "layers": [8, 8]}'},
    )  # fmt: skip

    assert [step for step, _value in points_of(facts, "loss")] == [0, 1, 2]
    assert points_of(facts, "acc") == [(0, 0.1), (1, 0.4)]
    assert params_of(facts) == {"layers": [8, 8]}


def parquet(path: Path, rows: list[dict[str, object]]) -> None:
    pq.write_table(pa.Table.from_pylist(rows), path)


def test_nested_parquet_has_its_levels_joined_and_lists_of_structs_opened(tmp_path: Path) -> None:
    moment = datetime(2026, 1, 2, tzinfo=UTC)
    history = [{"step": 1, "at": moment, "train": {"loss": 0.5}}, {"step": 2, "at": moment, "train": {"loss": 0.25}}]
    parquet(tmp_path / "a.parquet", [{"run": "r1", "conf": {"lr": 0.1}, "history": history}])

    (facts,) = facts_of(
        tmp_path, "match: a.parquet\nrun: run\nrows: history\nstep: step\nwall: at\nparams: [conf/lr]", {}
    )

    assert points_of(facts, "train/loss") == [(1, 0.5), (2, 0.25)]
    assert params_of(facts) == {"conf.lr": 0.1}
    (points,) = [fact for fact in facts if isinstance(fact, Points)]
    assert points.wall_s.tolist() == [moment.timestamp()] * 2


def test_long_parquet_and_lists_of_numbers_in_parquet(tmp_path: Path) -> None:
    parquet(
        tmp_path / "long.parquet",
        [{"t": 1, "k": "loss", "v": 0.5}, {"t": 2, "k": "loss", "v": None}, {"t": 3, "k": "acc", "v": 1.0}],
    )
    (long,) = facts_of(tmp_path, "match: long.parquet\nstep: t\nmetric: k\nvalue: v", {})
    (tmp_path / "long.parquet").unlink()
    parquet(tmp_path / "lists.parquet", [{"id": "a", "loss": [3.0, 2.0]}, {"id": "b", "loss": [1.0]}])
    lists = facts_of(tmp_path, "match: lists.parquet\nrun: id", {})

    assert points_of(long, "loss") == [(1, 0.5)]
    assert points_of(long, "acc") == [(3, 1.0)]
    assert [points_of(one, "loss") for one in lists] == [[(0, 3.0), (1, 2.0)], [(0, 1.0)]]


@pytest.mark.parametrize(
    ("rule", "text", "problem"),
    [
        ("step: stap", "step,loss\n1,2\n", "a.csv: the mapping names a column 'stap' in 'step' that is not there"),
        ("params: [lr]", "step,lr,loss\n1,0.1,2\n2,0.2,3\n", "a.csv: column 'lr' is no parameter: it is not the same in all rows; the first value was taken"),
        ("step: t", "t,loss\n1,2\nx,3\n", "a.csv: 1 row has no step in column 't' and was left out"),
        ("step: t", "t,loss\n1,2\n2,x\n", "a.csv: 1 cell is no number and was left out of 'loss'"),
        ("step: t", "t,loss\n1,2\n2\n", "a.csv: 1 row could not be read and was left out (line 3)"),
        ("step: t", "t,host\n1,me\n", "a.csv: by the mapping no column holds numbers; nothing was taken from it"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_told(rule: str, text: str, problem: str, tmp_path: Path) -> None:
    (facts,) = facts_of(tmp_path, f"match: a.csv\n{rule}", {"a.csv": text})

    assert problem in problems_of(facts)


def test_a_run_column_that_is_not_there_is_told_and_nothing_is_claimed(tmp_path: Path) -> None:
    write(tmp_path, {"mlbench-mapping.yaml": "files:\n  - match: a.csv\n    run: rum\n", "a.csv": "run,loss\na,1\n"})

    problems = [claim.problem for claim in claims_below(ADAPTER, tmp_path) if claim.problem]

    assert [(problem.what, problem.hint) for problem in problems] == [
        (
            "the mapping names a column 'rum' in 'run' that is not there",
            "did you mean 'run'? The columns are: run, loss",
        )
    ]


def test_files_of_a_folder_are_one_run_where_the_rule_says_so(tmp_path: Path) -> None:
    rule = "files:\n  - match: '*.csv'\n    each: folder\n"
    write(tmp_path, {"mlbench-mapping.yaml": rule, "train.csv": "step,loss\n1,2\n", "val.csv": "step,loss\n1,2\n"})

    assert [claim.is_one_training for claim in claims_below(ADAPTER, tmp_path)] == [False, False]
