"""What the rows of groups are called."""

from mlbench.queries.answers import GroupRow
from mlbench.tui.widgets.rows import group_label


def test_what_a_group_does_not_have_is_left_out_where_something_else_tells_it() -> None:
    mixed = GroupRow((None, None, "adam", None, 0.1), ("a", "b"), (), 2)
    bare = GroupRow((None, None), ("a",), (), 1)

    assert group_label(mixed) == "▸   2 runs  adam · 0.1"
    assert group_label(bare) == "▸   1 run   (none)"
