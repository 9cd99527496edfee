import numpy as np

from mlbench.ingest.tables import join_tables
from mlbench.model import Points, PointTable


def points(metric: str, *rows: tuple[int, float, float, int]) -> Points:
    steps, wall_s, values, seq = (np.array(column) for column in zip(*rows, strict=True))
    return Points(metric, steps, wall_s, values, seq)


def table(metrics: tuple[str, ...], *rows: tuple[int, int, float, float, int]) -> PointTable:
    which, steps, wall_s, values, seq = zip(*rows, strict=True)
    return PointTable(
        metrics, np.array(which, np.int32), np.array(steps), np.array(wall_s), np.array(values), np.array(seq)
    )


def rows(found: PointTable | None) -> list[tuple[str, int, float, float, int]]:
    assert found is not None
    metrics = [found.metrics[place] for place in found.which.tolist()]
    columns = (found.steps, found.wall_s, found.values, found.seq)
    return list(zip(metrics, *(column.tolist() for column in columns), strict=True))


def test_nothing_is_no_table() -> None:
    assert join_tables([]) is None


def test_one_table_is_that_table() -> None:
    only = table(("a",), (0, 1, 2.0, 3.0, 4))

    assert join_tables([only]) is only


def test_points_of_one_metric_become_a_table() -> None:
    found = join_tables([points("a", (1, 2.0, 3.0, 4), (2, 3.0, 4.0, 5))])

    assert rows(found) == [("a", 1, 2.0, 3.0, 4), ("a", 2, 3.0, 4.0, 5)]


def test_batches_stand_one_behind_the_other_and_a_metric_has_one_number() -> None:
    first = table(("a", "b"), (1, 1, 0.0, 0.5, 0), (0, 1, 0.0, 1.5, 1))
    second = table(("c", "b"), (0, 2, 0.0, 2.5, 2), (1, 2, 0.0, 3.5, 3))

    found = join_tables([first, points("b", (3, 0.0, 4.5, 4)), second])

    assert rows(found) == [
        ("b", 1, 0.0, 0.5, 0),
        ("a", 1, 0.0, 1.5, 1),
        ("b", 3, 0.0, 4.5, 4),
        ("c", 2, 0.0, 2.5, 2),
        ("b", 2, 0.0, 3.5, 3),
    ]
    assert found is not None
    assert found.metrics == ("a", "b", "c")
    assert [str(one.dtype) for one in (found.which, found.steps, found.seq)] == ["int32", "int64", "int64"]


def test_the_bits_of_a_nan_are_kept() -> None:
    odd = np.array([0x7FF0000000000001], dtype=np.uint64).view(np.float64)
    one = Points("a", np.array([1]), odd, odd, np.array([0]))

    found = join_tables([one, one])

    assert found is not None
    assert found.values.view(np.uint64).tolist() == [0x7FF0000000000001] * 2
    assert found.wall_s.view(np.uint64).tolist() == [0x7FF0000000000001] * 2
