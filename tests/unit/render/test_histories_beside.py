import math

import numpy as np
import pytest

from mlbench.queries.answers import RunHead
from mlbench.queries.blobs import BlobPlace
from mlbench.render.cells import line_cells, plain
from mlbench.render.histories_beside import (
    HistoryLook,
    RunHistory,
    distance_texts,
    histories_beside,
    steps_of,
    told_histories,
)
from mlbench.render.spoken_logged import spoken_histories
from mlbench.safe import Safe, safe
from mlbench.wire.histograms import Histogram
from tests.unit.render.samples import head


def item(run: RunHead, step: int, at: float, *, metric: str = "w") -> tuple[BlobPlace, Histogram]:
    edges = np.array([at, at + 1, at + 2])
    place = BlobPlace(run, "histogram", metric, step, math.nan, step, "/log", step, 1, "tensor", 0, 0, "")
    return place, Histogram(edges[:-1], edges[1:], np.array([3.0, 1.0]))


A, B, C = head("a"), head("b"), head("c")
NAMES: dict[str, Safe] = {run.run_id: safe(run.name) for run in (A, B, C)}


def two() -> tuple[RunHistory, ...]:
    return told_histories([item(A, 0, 0), item(A, 10, 0.25), item(B, 5, 1), item(B, 10, 2), item(B, 20, 2)])


def test_each_step_is_compared_with_what_the_first_run_had_by_then() -> None:
    first, second = two()

    assert first.apart == ()
    assert first.moved == pytest.approx((0.0, 0.25))
    assert second.apart == pytest.approx((1.0, 1.75, 1.75))
    assert second.moved == pytest.approx((0.0, 1.0, 1.0))
    assert steps_of((first, second)) == (0, 5, 10, 20)


def test_distances_are_told_where_there_are_some() -> None:
    first, second = two()

    assert distance_texts(first, NAMES[A.run_id], 0) == ()
    assert distance_texts(first, NAMES[A.run_id], 19) == ("moved 0.25 since step 0",)
    assert distance_texts(second, NAMES[A.run_id], 10) == ("1.75 from a at step 10", "moved 1 since step 5")
    assert distance_texts(second, NAMES[A.run_id], 4) == ("nothing was logged by step 4",)


def test_a_run_that_began_earlier_or_is_empty_has_no_distance() -> None:
    empty = Histogram(np.empty(0), np.empty(0), np.empty(0))
    later, sooner = item(A, 5, 0), item(B, 0, 0)

    _first, second = told_histories([later, sooner, (item(B, 5, 0)[0], empty)])

    assert math.isnan(second.apart[0])
    assert math.isnan(second.apart[1])
    assert distance_texts(second, NAMES[A.run_id], 5) == ()


def test_two_stand_beside_each_other_on_the_same_axes() -> None:
    look = HistoryLook(width=80, height=20)

    lines = histories_beside(two(), NAMES, {}, look)

    rows = str(plain(lines)).split("\n")
    assert [word for word in rows[0].split("  ") if word] == ["a", " 2 steps", "b", " 3 steps"]
    assert [row.count("┤") for row in rows if "┤" in row] == [2] * sum("┤" in row for row in rows)
    assert all(row[: len(row) // 2].split("┤")[0].strip() in row[41:] for row in rows if "┤" in row)
    assert "1.75 from a at step 20" in plain(lines)
    assert max(map(line_cells, lines)) <= 80
    assert len(lines) <= 20


def test_more_than_have_room_stand_below_and_the_mark_follows_the_step() -> None:
    three = told_histories([item(run, step, step / 10) for run in (A, B, C) for step in (0, 10, 20)])
    look = HistoryLook(width=80, height=40, glyphs="ascii")

    lines = [str(plain([line])) for line in histories_beside(three, NAMES, {}, look, at=10)]

    axes = [line for line in lines if "+" in line and "-" in line]
    assert [line.count("^") for line in axes] == [2, 1]
    assert axes[0].index("^") == axes[1].index("^")
    assert sum(line.startswith("c ") for line in lines) == 1


@pytest.mark.parametrize("size", [(36, 8), (20, 4), (300, 80)])
def test_no_size_and_no_histogram_is_too_odd(size: tuple[int, int]) -> None:
    empty = Histogram(np.empty(0), np.empty(0), np.empty(0))
    endless = Histogram(np.array([-np.inf]), np.array([np.inf]), np.array([2.0]))
    place = item(A, 3, 0)[0]

    for odd in (empty, endless):
        told = told_histories([(place, odd), item(B, 3, 0)])
        assert histories_beside(told, NAMES, {}, HistoryLook(*size))
        assert spoken_histories(told, NAMES, size[0], at=3)
    assert histories_beside((), {}, {}, HistoryLook()) == ()


def test_in_words_the_spread_of_some_steps_is_told() -> None:
    text = " ".join(str(plain(spoken_histories(two(), NAMES, 100, at=20))).split())

    assert (
        "a 2 steps, to 10 moved 0.25 since step 0 step 0: 0 to 2, half of them from 0.3333 to 1, median 0.6667" in text
    )
    assert "b 3 steps, to 20 1.75 from a at step 20" in text
