import math

import numpy as np
import pytest

from mlbench.wire import points as module
from mlbench.wire.points import PointCollector, as_step, points_of


def test_points_of_a_metric_come_as_one_batch_with_their_place_among_all() -> None:
    collector = PointCollector()
    collector.add("loss", 1, 0.5, 10.0)
    collector.add("acc", 1, 0.9)
    collector.add("loss", 2, math.nan)

    loss, acc = collector.flush()

    assert (loss.metric, acc.metric) == ("loss", "acc")
    assert loss.steps.tolist() == [1, 2]
    assert loss.seq.tolist() == [0, 2]
    assert loss.wall_s[0] == 10.0
    assert math.isnan(loss.wall_s[1])
    assert math.isnan(loss.values[1])
    assert acc.seq.tolist() == [1]
    assert loss.steps.dtype == np.int64


def test_a_flush_empties_the_collector_and_the_count_goes_on() -> None:
    collector = PointCollector()
    collector.add("loss", 1, 0.5)
    list(collector.flush())

    assert list(collector.flush()) == []
    collector.add("loss", 2, 0.4)
    assert next(collector.flush()).seq.tolist() == [1]


def test_it_is_full_at_its_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_HELD", 2)
    collector = PointCollector()

    collector.add("a", 1, 0)
    before = collector.is_full
    collector.add("a", 2, 0)

    assert (before, collector.is_full) == (False, True)


def test_names_beyond_the_limit_are_counted_and_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_METRICS", 1)
    collector = PointCollector()

    for name in ("a", "b", "a", "c"):
        collector.add(name, 1, 0)

    assert (collector.n_points, collector.n_left_out) == (2, 2)


@pytest.mark.parametrize(
    ("value", "step"),
    [
        (3, 3),
        (-(1 << 63), -(1 << 63)),
        (2.9, 2),
        (1 << 63, None),
        (1e300, None),
        (math.nan, None),
        (math.inf, None),
        (True, None),
        ("3", None),
        (None, None),
    ],
)
def test_a_step_is_a_whole_number_of_64_bits(value: object, step: int | None) -> None:
    assert as_step(value) == step


def test_large_steps_keep_every_digit() -> None:
    batch = points_of("m", [(1 << 53) + 1], [0.0], [1.0], [0])

    assert batch.steps.tolist() == [9007199254740993]
