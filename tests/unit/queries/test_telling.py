"""Promises of legends: parameters tell runs apart, or nothing is said."""

from mlbench.queries.folding import fold_runs
from mlbench.queries.telling import tell_runs
from mlbench.render.labels import told_labels
from tests.unit.queries.conftest import FakeReader


def runs_of(reader: FakeReader, *settings: dict[str, object]) -> list[str]:
    ids = []
    for place, params in enumerate(settings):
        ids.append(reader.add_run(f"run{place}"))
        reader.add_params(ids[-1], depth=3, out_dir=f"/out/{place}", **params)
    return ids


def labels(reader: FakeReader, ids: list[str]) -> list[str]:
    found = told_labels(tell_runs(reader, fold_runs(reader, ids)))
    return [found[run_id] for run_id in ids] if found else []


def test_what_differs_tells_runs_apart_and_seeds_where_settings_repeat(empty: FakeReader) -> None:
    ids = runs_of(empty, {"lr": 0.1, "seed": 0}, {"lr": 0.1, "seed": 1}, {"lr": 0.01, "seed": 0})

    assert labels(empty, ids) == ["lr=0.1 seed=0", "lr=0.1 seed=1", "lr=0.01 seed=0"]
    assert labels(empty, [ids[0], ids[2]]) == ["lr=0.1", "lr=0.01"]
    assert labels(empty, ids[:2]) == ["seed=0", "seed=1"]


def test_of_several_seeds_as_many_as_it_takes(empty: FakeReader) -> None:
    ids = runs_of(empty, {"data_seed": 0, "seed": 0}, {"data_seed": 1, "seed": 1}, {"data_seed": 1, "seed": 2})

    assert labels(empty, ids) == ["data_seed=0 seed=0", "data_seed=1 seed=1", "data_seed=1 seed=2"]
    assert labels(empty, ids[:2]) == ["data_seed=0", "data_seed=1"]


def test_where_parameters_do_not_tell_all_apart_nothing_is_said(empty: FakeReader) -> None:
    ids = runs_of(empty, {"lr": 0.1, "seed": 0}, {"lr": 0.1, "seed": 0}, {"lr": 0.2, "seed": 0}, {"lr": 0.2})

    assert labels(empty, ids[:3]) == []
    assert labels(empty, ids[:1]) == []
    assert labels(empty, ids[2:]) == []


def test_runs_that_only_their_project_tells_apart_are_called_by_name(empty: FakeReader) -> None:
    ids = runs_of(empty, {"lr": 0.1}, {"lr": 0.1})
    empty.connection.execute("UPDATE run SET project = 'other' WHERE run_id = ?", [ids[0]])

    assert labels(empty, ids) == []


def test_many_parameters_are_read_no_faster_than_a_name(empty: FakeReader) -> None:
    settings: list[dict[str, object]] = [{f"p{bit}": place >> bit & 1 for bit in range(5)} for place in range(32)]
    ids = runs_of(empty, *settings)

    assert labels(empty, ids) == []
    assert labels(empty, ids[:16])[0] == "p0=0 p1=0 p2=0 p3=0"
