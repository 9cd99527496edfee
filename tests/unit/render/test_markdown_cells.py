from hypothesis import given
from hypothesis import strategies as st

from mlbench.render.cells import line_cells, plain
from mlbench.render.markdown_cells import MOST_LINES, markdown_lines


def shown(text: str, width: int = 40) -> str:
    return plain(markdown_lines(text, width))


def test_paragraphs_are_filled_and_items_hang() -> None:
    text = "one two\nthree\n\n- first item that is long enough to go on\n  1. nested"

    assert shown(text, 24) == ("one two three\n\n• first item that is\n  long enough to go on\n  1. nested")


def test_lines_of_a_note_stay_lines() -> None:
    assert plain(markdown_lines("one\ntwo", 40, keeps_lines=True)) == "one\ntwo"


def test_headings_code_and_tables_have_their_looks() -> None:
    lines = markdown_lines("# Title #\n```python\nx = '**y**'\n```\n| a | b |\n|---|---|\n| `1` | 22 |", 40)

    assert plain(lines) == "Title\n  x = '**y**'\na  b\n1  22"
    assert [line[-1].role for line in lines] == ["heading", "key", "title", ""]


def test_inline_marks_become_roles() -> None:
    (line,) = markdown_lines("a **bold move** with `lr=1` and *care*", 80)

    roles = {str(cell.text): cell.role for cell in line if cell.text.strip()}
    assert roles["bold"] == roles["move"] == "title"
    assert roles["lr=1"] == "key"
    assert roles["care"] == "changed"


def test_a_link_is_told_and_html_stands_as_it_is() -> None:
    text = shown("[here](javascript:alert(1)) <script>x</script> ![i](http://a/b.png)", 80)

    assert "[here](javascript:alert(1))" in text
    assert "<script>x</script>" in text
    assert "i (http://a/b.png)" in text


def test_names_with_underscores_and_stars_stay() -> None:
    assert shown("val_loss_best 2*3*4 a_b") == "val_loss_best 2*3*4 a_b"


def test_a_fence_that_never_ends_and_a_word_that_is_too_long() -> None:
    assert shown("```\ncode") == "  code"
    assert shown("x" * 30, 10) == "x" * 10 + "\n" + "x" * 10 + "\n" + "x" * 10


def test_a_very_long_text_is_cut_and_says_so() -> None:
    lines = markdown_lines("a\n\n" * (MOST_LINES), 40)

    assert len(lines) == MOST_LINES + 1
    assert "not shown" in plain(lines[-1:])


def test_brackets_without_end_take_no_time() -> None:
    assert len(shown("[" * 100_000, 80)) > 80
    assert len(shown("[](" * 50_000, 80)) > 80
    assert len(shown("**" * 50_000 + "`" * 50_001, 80)) >= 80


@given(st.text(max_size=200), st.integers(8, 60))
def test_no_line_is_too_wide_and_nothing_acts(text: str, width: int) -> None:
    for line in markdown_lines(text, width):
        assert line_cells(line) <= width
        assert all(cell.text.isprintable() for cell in line)
