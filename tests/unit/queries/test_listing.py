"""Long tables: all ids in order, rows piece by piece, and groups."""

from __future__ import annotations

import pytest

from mlbench.queries.chosen import FEW_RUNS, SAMPLED_RUNS, sampled
from mlbench.queries.listing import Lister
from mlbench.queries.mistakes import FilterError
from mlbench.queries.runs import find_runs
from tests.unit.queries.conftest import FakeReader

QUESTIONS = (
    {"where": "", "sort": ()},
    {"where": "params.lr >= 0.01", "sort": ("params.lr:desc",)},
    {"where": "sweep", "sort": ("metrics.val/loss", "name:desc")},
    {"where": "archived in (true, false)", "sort": ("started",)},
)


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_listing_and_its_rows_are_what_find_runs_finds(reader: FakeReader, question: dict[str, str]) -> None:
    columns = ("params.lr", "metrics.val/loss", "status")
    found = find_runs(reader, where=question["where"], sort=question["sort"], columns=columns)

    lister = Lister(reader, where=question["where"], sort=question["sort"], columns=columns)
    listing = lister.listing()
    rows = lister.rows(listing.numbers)

    assert listing.ids == tuple(row.head.run_id for row in found.rows)
    assert [repr(rows[run_id]) for run_id in listing.ids] == [repr(row) for row in found.rows]  # NaN is equal to NaN
    assert (listing.n_matched, listing.n_runs, listing.remarks) == (found.n_matched, found.n_runs, found.remarks)
    assert lister.columns == found.columns
    assert lister.n_matched() == found.n_matched


def test_a_run_knows_its_place(reader: FakeReader) -> None:
    listing = Lister(reader, sort=("name",)).listing()

    assert [listing.place_of(run_id) for run_id in listing.ids] == list(range(len(listing.ids)))
    assert listing.place_of("nobody") is None


def test_the_best_number_of_each_metric_with_a_goal(reader: FakeReader) -> None:
    lister = Lister(reader, columns=["metrics.val/loss", "params.lr", "status"], where="sweep")
    rows = lister.rows(lister.listing().numbers).values()
    least = min(row.values[0] for row in rows if isinstance(row.values[0], float))

    assert lister.best() == (least, None, None)


def test_groups_hold_their_runs_and_the_means(reader: FakeReader) -> None:
    lister = Lister(reader, columns=["metrics.val/loss", "params.lr", "name"], by=["params.lr"], where="sweep")
    listing = lister.listing()
    rows = lister.rows(listing.numbers)

    assert [run_id for group in listing.groups for run_id in group.run_ids] == list(listing.ids)
    for group in listing.groups:
        losses = [value for run_id in group.run_ids if isinstance(value := rows[run_id].values[0], float)]
        assert {rows[run_id].values[1] for run_id in group.run_ids} == {group.keys[0]}
        assert group.cells[0].value == pytest.approx(sum(losses) / len(losses))
        assert group.cells[0].n == len(losses)
        assert (group.cells[0].half is None) == (len(losses) < 2)
        assert group.cells[1].value == group.keys[0]


def test_groups_are_sorted_by_their_means(reader: FakeReader) -> None:
    up = Lister(
        reader, columns=["metrics.val/loss"], by=["params.lr"], where="sweep", sort=["metrics.val/loss"]
    ).listing()
    down = Lister(
        reader, columns=["metrics.val/loss"], by=["params.lr"], where="sweep", sort=["metrics.val/loss:desc"]
    ).listing()

    means = [group.cells[0].value for group in up.groups]
    assert means == sorted(means)  # type: ignore[type-var]
    assert [group.keys for group in down.groups] == [group.keys for group in reversed(up.groups)]


def test_the_word_setting_groups_what_repeats_itself(reader: FakeReader) -> None:
    listing = Lister(reader, columns=["metrics.val/loss"], by=["setting"], where="sweep").listing()

    assert sum(len(group.run_ids) for group in listing.groups) == listing.n_matched > 0
    assert listing.groups[0].keys
    assert len(listing.group_columns) == len(listing.groups[0].keys)
    assert all(0 <= group.n_ended_well <= len(group.run_ids) for group in listing.groups)


def test_a_mistake_is_told_before_anything_is_read(reader: FakeReader) -> None:
    with pytest.raises(FilterError, match="no parameter 'lrr'"):
        Lister(reader, by=["params.lrr"])


def test_of_many_runs_a_sample_is_looked_at() -> None:
    ids = [f"{number:012x}" for number in range(100_000)]

    some = sampled(ids)

    assert len(set(some)) == SAMPLED_RUNS
    assert {some[0], some[-1]} == {ids[0], ids[-1]}
    assert sampled(ids[:FEW_RUNS]) == ids[:FEW_RUNS]
