import pytest

from mlbench.render.palette import is_light_ground
from mlbench.tui.terminal import colour_depth, glyphs_of, too_small, why_not_open

GOOD = {"TERM": "xterm-256color"}


def test_a_usual_terminal_will_do() -> None:
    assert why_not_open(GOOD, (80, 24), True) is None
    assert why_not_open(GOOD, (60, 15), True) is None


def test_no_terminal_is_told_with_what_to_do_instead() -> None:
    said = why_not_open(GOOD, (80, 24), False)

    assert said is not None
    assert "no terminal is attached" in said
    assert "mlbench report" in said


@pytest.mark.parametrize(("term", "said"), [("dumb", "TERM=dumb"), ("", "TERM is not set")])
def test_a_dumb_terminal_is_told(term: str, said: str) -> None:
    assert said in (why_not_open({"TERM": term}, (80, 24), True) or "")


@pytest.mark.parametrize("size", [(59, 24), (80, 14), (40, 10)])
def test_a_small_terminal_is_told(size: tuple[int, int]) -> None:
    assert f"{size[0]}x{size[1]}" in (why_not_open(GOOD, size, True) or "")
    assert too_small(size)


@pytest.mark.parametrize(
    ("environ", "depth"),
    [
        ({"TERM": "xterm-256color", "COLORTERM": "truecolor"}, "truecolor"),
        ({"TERM": "xterm", "COLORTERM": "24bit"}, "truecolor"),
        ({"TERM": "screen-256color"}, "256"),
        ({"TERM": "linux"}, "16"),
        ({"TERM": "xterm-256color", "COLORTERM": "truecolor", "NO_COLOR": ""}, "none"),
    ],
)
def test_colours_are_what_the_terminal_says(environ: dict[str, str], depth: str) -> None:
    assert colour_depth(environ) == depth


@pytest.mark.parametrize(("value", "is_light"), [("0;15", True), ("15;0", False), ("", False), ("0;default;7", True)])
def test_a_light_ground_is_known_by_colorfgbg(value: str, is_light: bool) -> None:
    assert is_light_ground({"COLORFGBG": value}) is is_light


@pytest.mark.parametrize(
    ("setting", "term", "encoding", "glyphs"),
    [
        ("auto", "xterm", "utf-8", "braille"),
        ("auto", "linux", "UTF-8", "blocks"),
        ("auto", "xterm", "ascii", "ascii"),
        ("blocks", "xterm", "utf-8", "blocks"),
    ],
)
def test_glyphs_are_what_can_be_shown(setting: str, term: str, encoding: str, glyphs: str) -> None:
    assert glyphs_of(setting, {"TERM": term}, encoding) == glyphs
