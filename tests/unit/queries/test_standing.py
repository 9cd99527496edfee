"""How the running runs stand."""

from mlbench.queries.standing import Standing, fetch_standings
from tests.unit.queries.conftest import FakeReader


def test_running_runs_and_watched_ones_are_told_with_what_is_odd(empty: FakeReader) -> None:
    running = empty.add_run("a", status="running")
    done = empty.add_run("b", status="finished")
    empty.add_run("c", status="finished")
    empty.add_series(running, "val/loss", [1.0, 0.5, float("nan")])
    empty.add_series(done, "val/loss", [0.7])

    found = fetch_standings(empty, "val/loss", [done])

    assert [(run.name, run.odd, run.best) for run in found.runs] == [("a", ("val/loss",), 0.5), ("b", (), 0.7)]
    assert (found.goal, found.baseline) == ("min", "")
    assert isinstance(found.runs[0], Standing)
    assert fetch_standings(empty, "").runs[0].best is None
