from hypothesis import given
from hypothesis import strategies as st

from mlbench.render.cells import EMPTY, Cell, line_cells, plain
from mlbench.render.table import Heading, Section, Table, heading, layout, section_lines
from mlbench.safe import safe


def _cells(*texts: str, align: str = "left") -> tuple[Cell, ...]:
    return tuple(Cell(safe(text), align=align) for text in texts)


TABLE = Table(
    (heading("run"), heading("metrics/validation_loss", align="number"), heading("command")),
    (
        (Cell(safe("alpha")), Cell(safe("0.5"), "good", "number"), Cell(safe("python train.py --lr 0.1 --width 64"))),
        (Cell(safe("beta")), Cell(safe("12"), "", "number"), Cell(safe("-"), "muted")),
        (Cell(safe("日本")), Cell(safe("-"), "muted"), Cell(safe("x"))),
    ),
)


def test_columns_are_as_wide_as_their_content() -> None:
    assert plain(layout(TABLE)) == (
        "run    metrics/validation_loss  command\n"
        "alpha                      0.5  python train.py --lr 0.1 --width 64\n"
        "beta                      12    -\n"
        "日本                         -  x"
    )


def test_long_texts_are_cut_in_the_middle_first() -> None:
    assert plain(layout(TABLE, 60)) == (
        "run    metrics/validation_loss  command\n"
        "alpha                      0.5  python train.p….1 --width 64\n"
        "beta                      12    -\n"
        "日本                         -  x"
    )


def test_titles_are_cut_numbers_never() -> None:
    assert plain(layout(TABLE, 48)) == (
        "run    metrics/…on_loss  command\n"
        "alpha               0.5  python trai… --width 64\n"
        "beta               12    -\n"
        "日本                  -  x"
    )


def test_columns_without_room_are_counted_and_named() -> None:
    assert plain(layout(TABLE, 20)) == (
        "run    metric…n_loss\nalpha            0.5\nbeta            12\n日本               -\n… 1 more column: co…"
    )


def test_the_first_column_is_never_left_out() -> None:
    assert plain(layout(TABLE, 4)) == "run\nal…a\nbeta\n日本\n… 2…"


def test_roles_reach_the_lines() -> None:
    lines = layout(TABLE)

    assert [cell.role for cell in lines[0]] == ["title", "", "title", "", "title"]
    assert lines[1][2].role == "good"


def test_a_table_may_have_no_titles_no_rows_and_no_columns() -> None:
    assert plain(layout(TABLE, has_titles=False)).startswith("alpha   0.5  python")
    assert layout(Table((), ()), 10) == ()
    assert layout(Table((), ())) == ()
    assert plain(layout(Table((heading("run"),), ()), 80)) == "run"


def test_missing_columns_are_named_in_full_where_the_width_allows() -> None:
    table = Table(tuple(heading(f"column-{i:02}") for i in range(9)), (_cells(*["x" * 12] * 9),))

    assert plain(layout(table, 60)).endswith("… 5 more columns: column-04, column-05, column-06, column-0…")


def test_what_may_not_be_cut_is_left_out_instead() -> None:
    table = Table((heading("a"), Heading(safe("b"), is_cut=False)), (_cells("x", "0.5 ▲ -0.25 -50%"),))

    assert plain(layout(table, 12)) == "a\nx\n… 1 more co…"


@given(st.integers(1, 90))
def test_no_line_is_wider_than_asked_for(width: int) -> None:
    assert all(line_cells(line) <= max(width, 4) for line in layout(TABLE, width))


def test_sections_stand_below_each_other() -> None:
    small = Table((heading("k"),), (_cells("v"),))
    sections = (Section("a", safe("first"), small, safe("6 equal")), Section("b", safe("second"), small, EMPTY))

    assert plain(section_lines(sections)) == "first  (6 equal)\nk\nv\n\nsecond\nk\nv"
