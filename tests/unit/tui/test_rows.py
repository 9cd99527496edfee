"""What the rows of groups are called, and which rows are held."""

from mlbench.queries.answers import GroupRow, Listing, RunHead, RunRow
from mlbench.safe import safe
from mlbench.tui.session import PIECE_ROWS
from mlbench.tui.widgets.columns import Fits
from mlbench.tui.widgets.rows import MOST_PIECES, Piece, Rows, group_label


def test_what_a_group_does_not_have_is_left_out_where_something_else_tells_it() -> None:
    mixed = GroupRow((None, None, "adam", None, 0.1), ("a", "b"), (), 2)
    bare = GroupRow((None, None), ("a",), (), 1)

    assert group_label(mixed) == "▸   2 runs  adam · 0.1"
    assert group_label(bare) == "▸   1 run   (none)"


def ids(n: int) -> tuple[str, ...]:
    return tuple(f"id{place:06}" for place in range(n))


def piece(number: int) -> Piece:
    first = number * PIECE_ROWS
    names = [f"id{place:06}" for place in range(first, first + PIECE_ROWS)]
    rows = tuple(RunRow(RunHead(name, name, "", name, f"/{name}", "finished"), ()) for name in names)
    return Piece(first, rows, tuple(map(safe, names)), Fits(), 8)


def test_rows_far_from_view_are_let_go_with_their_curves_and_fetched_again() -> None:
    rows = Rows(listing=Listing(ids=ids(100 * PIECE_ROWS)))

    for number in range(40):
        seen = range(number * PIECE_ROWS, number * PIECE_ROWS + 40)
        assert rows.missing(seen, ()) == [number]
        rows.take(piece(number))
        rows.sketches.update({f"id{place:06}": (1.0,) for place in seen})
        rows.curved.update(seen)

    assert list(rows.pieces) == list(range(40 - MOST_PIECES - 1, 40))
    assert len(rows.rows) == len(rows.labels) == (MOST_PIECES + 1) * PIECE_ROWS
    assert len(rows.sketches) == len(rows.curved) == (MOST_PIECES + 1) * 40
    assert rows.missing(range(40), ()) == [0]


def test_rows_in_view_stay_however_many_they_are() -> None:
    n_pieces = 3 * MOST_PIECES
    rows = Rows(listing=Listing(ids=ids(100 * PIECE_ROWS)))
    seen = range(n_pieces * PIECE_ROWS)

    for number in rows.missing(seen, ()):
        rows.take(piece(number))

    assert rows.missing(seen, ()) == []
    assert len(rows.rows) == n_pieces * PIECE_ROWS
