"""Promises of what runs cost: durations, speeds, the time to the best value, and recorded amounts."""

from mlbench.queries.answers import DiffAnswer
from mlbench.queries.compare import compare_runs
from mlbench.queries.costs import CostRow
from mlbench.render.cells import plain
from mlbench.render.diff import diff_records, diff_sections
from mlbench.render.table import section_lines
from tests.unit.queries.conftest import NOW_S, FakeReader


def run_of(reader: FakeReader, name: str, *, seconds: float, values: list[float], metric: str = "val/loss") -> str:
    """A run that logged a value each ten steps, evenly over its time."""
    run_id = reader.add_run(name, started_s=NOW_S - 1000, ended_s=NOW_S - 1000 + seconds)
    reader.add_series(run_id, metric, [(10 * place, value) for place, value in enumerate(values)])
    walls = [NOW_S - 1000 + seconds * (place + 1) / len(values) for place in range(len(values))]
    best = values.index(min(values))
    reader.connection.execute(
        "UPDATE series SET first_wall_s = ?, last_wall_s = ?, min_wall_s = ? WHERE run_id = ? AND metric = ?",
        [walls[0], walls[-1], walls[best], run_id, metric],
    )
    return run_id


def answer_of(reader: FakeReader, *ids: str, everything: bool = False) -> DiffAnswer:
    return compare_runs(reader, ids, everything=everything)


def test_duration_speed_and_time_to_the_best_value(empty: FakeReader) -> None:
    slow = run_of(empty, "slow", seconds=100, values=[3, 1, 2, 2, 2])
    fast = run_of(empty, "fast", seconds=50, values=[3, 2, 2, 2, 1])

    rows = answer_of(empty, slow, fast).costs

    assert rows == (
        CostRow("duration", "seconds", (100.0, 50.0)),
        CostRow("steps per second", "rate", (0.5, 1.0)),
        CostRow("time to best val/loss", "seconds", (40.0, 50.0)),
    )


def test_less_time_and_more_steps_are_better(empty: FakeReader) -> None:
    ids = [
        run_of(empty, "slow", seconds=100, values=[3, 1, 2, 2, 2]),
        run_of(empty, "fast", seconds=50, values=[3, 2, 2, 2, 1]),
    ]

    answer = answer_of(empty, *ids)

    (section,) = (one for one in diff_sections(answer) if one.key == "cost")
    assert [[cell.text for cell in row] for row in section.table.rows] == [
        ["duration", "1m 40s", "50s ÷2"],
        ["steps per second", "0.5", "1 ×2"],
        ["time to best val/loss", "40s", "50s +25%"],
    ]
    assert [row[2].role for row in section.table.rows] == ["good", "good", "bad"]
    assert ("cost", "duration", 100.0, 50.0) in diff_records(answer).rows


def test_what_is_about_the_same_is_left_out(empty: FakeReader) -> None:
    ids = [run_of(empty, "a", seconds=100, values=[1, 2]), run_of(empty, "b", seconds=100.5, values=[1, 2])]

    assert answer_of(empty, *ids).costs == ()
    assert len(answer_of(empty, *ids, everything=True).costs) == 3


def test_costs_are_no_difference_that_counts(empty: FakeReader) -> None:
    ids = [run_of(empty, "a", seconds=100, values=[1, 2]), run_of(empty, "b", seconds=10, values=[1, 2])]

    answer = answer_of(empty, *ids)

    assert answer.costs
    assert not answer.differs


def test_a_recorded_cost_is_told_and_unknown_times_are_not(empty: FakeReader) -> None:
    one = empty.add_run("one", started_s=None, active_s=None)
    other = empty.add_run("other", started_s=None, active_s=None)
    for run_id, cost in ((one, 2.0), (other, 3.0)):
        empty.add_series(run_id, "train/cost_usd", [(0, 1.0), (1, cost)])
        empty.connection.execute("UPDATE series SET first_wall_s = 'NaN', last_wall_s = NULL, min_wall_s = NULL")

    rows = answer_of(empty, one, other).costs

    assert rows == (CostRow("train/cost_usd", "amount", (2.0, 3.0)),)


def test_machines_stand_apart_from_software(empty: FakeReader) -> None:
    ids = [empty.add_run("a"), empty.add_run("b")]
    for run_id, gpu, python in zip(ids, ("A100", "H100"), ("3.11", "3.12"), strict=True):
        empty.add("environment", run_id=run_id, key="gpu", value=gpu)
        empty.add("environment", run_id=run_id, key="python", value=python)

    answer = answer_of(empty, *ids)

    assert [section.key for section in diff_sections(answer)] == ["hardware", "environment"]
    assert diff_records(answer).rows[0] == ("hardware", "gpu", "A100", "H100")
    assert "H100" in plain(section_lines(diff_sections(answer)))
