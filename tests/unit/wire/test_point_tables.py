import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mlbench.wire.blocks import Lines, Scalars
from mlbench.wire.float32 import widen
from mlbench.wire.point_grids import PointGrid
from mlbench.wire.point_tables import point_table

TAGS = ("loss", "acc", "lr", "other")
SIGNALLING = np.array([0xFFA00001], dtype=np.uint32).view(np.float32)[0]


def scalars(tags: list[int], first: int) -> Scalars:
    """Points that are numbered from `first` on."""
    seq = np.arange(first, first + len(tags))
    return Scalars(np.array(tags, np.int32), 2 * seq, seq / 4, _values(seq), seq)


def lines(tags: list[int], first: int, *, step: int | None = None) -> Lines:
    """The same with a line for each tag, of as many turns as there are tags; one step or the last one only."""
    n = len(tags)
    seq = np.arange(first, first + n * n).reshape(-1, n).T
    steps = 2 * seq if step is None else np.full((1, n), step)
    return Lines(np.array(tags, np.int32), steps, seq / 4, _values(seq), np.arange(n)[:, None], seq[0])


def _values(seq: np.ndarray) -> np.ndarray:
    values = np.array(seq, np.float32)
    values[seq % 7 == 3] = SIGNALLING
    return values


def test_blocks_of_equal_lines_are_joined_metric_by_metric() -> None:
    mixed, turns = scalars([0, 2], 0), lines([2, 0], 2)

    table = point_table([mixed, turns], [], TAGS)

    assert isinstance(table, PointGrid)
    assert table.metrics == ("lr", "loss")
    assert table.which.tolist() == [0] * 3 + [1] * 3
    assert table.seq.tolist() == [1, 2, 4, 0, 3, 5]


def test_a_block_that_lacks_a_point_of_one_metric_leaves_all_as_they_came() -> None:
    mixed, turns = scalars([0, 2, 0], 0), lines([2, 0], 3)

    table = point_table([mixed, turns], [], TAGS)

    assert table.seq.tolist() == [0, 1, 2, 3, 5, 4, 6]
    assert [table.metrics[place] for place in table.which.tolist()] == [
        "loss",
        "lr",
        "loss",
        "lr",
        "lr",
        "loss",
        "loss",
    ]


@given(
    st.lists(
        st.one_of(
            st.lists(st.integers(0, 3), max_size=8),
            st.permutations([0, 1]).map(lambda tags: tags * 2),
            st.permutations([0, 1]).map(tuple),
            st.just((2, 0, 1)),
        ),
        min_size=1,
        max_size=5,
    )
)
def test_each_metric_has_its_points_in_the_order_of_the_file_however_they_came(
    found: list[list[int] | tuple[int, ...]],
) -> None:
    blocks: list[Scalars | Lines] = []
    for tags in found:
        n_points = sum(block.n_points for block in blocks)
        is_line, step = isinstance(tags, tuple), n_points if n_points % 2 else None
        blocks.append(lines(list(tags), n_points, step=step) if is_line else scalars(list(tags), n_points))

    table = point_table(blocks, [], TAGS)

    flat = [block.scalars() if isinstance(block, Lines) else block for block in blocks]
    of, steps, wall_s, values, seq = (
        np.concatenate([getattr(block, name) for block in flat])
        for name in ("tags", "steps", "wall_s", "values", "seq")
    )
    told = {points.metric: points for points in table.split()}
    assert sorted(told) == sorted({TAGS[tag] for tag in of.tolist()})
    for metric, points in told.items():
        at = np.flatnonzero(of == TAGS.index(metric))
        at = at[np.argsort(seq[at])]
        for ours, theirs in ((points.steps, steps), (points.wall_s, wall_s), (points.seq, seq)):
            assert ours.tolist() == theirs[at].tolist()
        assert points.values.tobytes() == widen(values[at]).tobytes()


@given(st.lists(st.booleans(), min_size=1, max_size=5), st.permutations([0, 1, 2]), st.integers(0, 9))
def test_turns_and_blocks_of_the_same_metrics_are_one_matrix(
    are_lines: list[bool], tags: list[int], first: int
) -> None:
    blocks: list[Scalars | Lines] = [lines(tags, first)]
    for is_line in are_lines:
        n_points = first + sum(block.n_points for block in blocks)
        blocks.append(lines(tags, n_points, step=7) if is_line else scalars(tags * 2, n_points))

    table = point_table(blocks, [], TAGS)

    assert isinstance(table, PointGrid)
    assert table.metrics == tuple(TAGS[tag] for tag in tags)
    assert table.line_seq.shape == (3, 1)
