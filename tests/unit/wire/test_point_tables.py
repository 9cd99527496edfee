import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mlbench.wire.blocks import Scalars
from mlbench.wire.float32 import widen
from mlbench.wire.point_tables import point_table

TAGS = ("loss", "acc", "lr", "other")
SIGNALLING = np.array([0xFFA00001], dtype=np.uint32).view(np.float32)[0]


def scalars(tags: list[int], first: int, *, are_lines: bool = False) -> Scalars:
    """Points that are numbered from `first` on; with lines, of each tag so many as there are tags."""
    n_points = len(tags) ** 2 if are_lines else len(tags)
    seq = np.arange(first, first + n_points)
    if are_lines:
        seq = seq.reshape(-1, len(tags)).T.ravel()
    values = np.array(seq, np.float32)
    values[seq % 7 == 3] = SIGNALLING
    return Scalars(np.array(tags, np.int32), 2 * seq, seq / 4, values, seq, are_lines=are_lines)


def test_blocks_of_equal_lines_are_joined_metric_by_metric() -> None:
    mixed, lines = scalars([0, 2], 0), scalars([2, 0], 2, are_lines=True)

    table = point_table([mixed, lines], [], TAGS)

    assert table.metrics == ("lr", "loss")
    assert table.which.tolist() == [0] * 3 + [1] * 3
    assert table.seq.tolist() == [1, 2, 4, 0, 3, 5]


def test_a_block_that_lacks_a_point_of_one_metric_leaves_all_as_they_came() -> None:
    mixed, lines = scalars([0, 2, 0], 0), scalars([2, 0], 3, are_lines=True)

    table = point_table([mixed, lines], [], TAGS)

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
        ),
        min_size=1,
        max_size=5,
    )
)
def test_each_metric_has_its_points_in_the_order_of_the_file_however_they_came(
    found: list[list[int] | tuple[int, ...]],
) -> None:
    blocks: list[Scalars] = []
    for tags in found:
        n_points = sum(map(len, blocks))
        blocks.append(scalars(list(tags), n_points, are_lines=isinstance(tags, tuple)))

    table = point_table(blocks, [], TAGS)

    of, steps, wall_s, values, seq = (
        np.concatenate([getattr(block, name) for block in blocks])
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
