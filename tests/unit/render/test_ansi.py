from mlbench.render.ansi import painted, painted_lines, sgr
from mlbench.render.cells import Cell, line_of
from mlbench.safe import safe


def test_each_depth_has_its_own_sequences() -> None:
    assert sgr("good", "none") == ""
    assert sgr("good", "16") == "\x1b[32m"
    assert sgr("good", "256") == "\x1b[38;5;114m"
    assert sgr("good", "truecolor") == "\x1b[38;2;135;215;135m"


def test_bold_and_dim_are_kept_where_there_is_no_colour() -> None:
    assert sgr("title", "256") == "\x1b[1m"
    assert sgr("heading", "16") == "\x1b[1;36m"
    assert sgr("axis", "16") == "\x1b[2m"
    assert sgr("", "truecolor") == ""


def test_a_band_is_a_background_from_256_colours_on() -> None:
    assert sgr("run0", "256", back="band0") == "\x1b[38;5;75;48;5;237m"
    assert sgr("", "truecolor", back="band0") == "\x1b[48;2;37;57;77m"
    assert sgr("run0", "16", back="band0") == "\x1b[94m"


def test_a_light_ground_has_other_colours() -> None:
    assert sgr("bad", "truecolor", is_light=True) == "\x1b[38;2;175;0;0m"


def test_a_cell_is_reset_after_its_text() -> None:
    assert painted(Cell(safe("x"), "bad"), "16") == "\x1b[31mx\x1b[0m"
    assert painted(Cell(safe("x")), "16") == "x"
    assert painted(Cell(safe(""), "bad"), "16") == ""


def test_blanks_at_the_end_are_not_written_but_under_a_background() -> None:
    lines = (line_of(("a", ""), ("   ", "axis")), (Cell(safe("b")), Cell(safe("  "), back="band1")), ())

    assert painted_lines(lines, "none") == "a\nb\n\n"
    assert painted_lines(lines[1:2], "256") == "b\x1b[48;5;58m  \x1b[0m\n"
