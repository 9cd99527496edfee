import pytest
from rich.color import ColorType
from rich.style import Style

from mlbench.render.cells import Cell
from mlbench.safe import safe
from mlbench.tui.theme import GROUNDS, Looks, looks_of, themes


def test_every_style_has_a_background_of_its_own() -> None:
    for ground in GROUNDS:
        assert Looks().style("run1", ground).bgcolor is not None


def test_runs_have_the_colours_of_the_palette_on_each_ground() -> None:
    dark, light = Looks().style("run0"), Looks(is_light=True).style("run0")

    assert dark.color is not None
    assert light.color is not None
    assert (dark.color.name, light.color.name) == ("#5fafff", "#0000d7")


def test_a_cell_may_bring_its_own_background() -> None:
    style = Looks().cell_style(Cell(safe("x"), "run0", back="band0"))

    assert style.bgcolor != Looks().style("run0").bgcolor


def test_sixteen_colours_are_the_terminals_own() -> None:
    style = Looks(depth="16").style("good")

    assert style.color is not None
    assert style.color.type is ColorType.STANDARD


@pytest.mark.parametrize("role", ["good", "run3", "accent", "caret", ""])
@pytest.mark.parametrize("ground", GROUNDS)
def test_without_colours_there_are_none(role: str, ground: str) -> None:
    style = Looks(depth="none").style(role, ground)

    assert style.color is not None
    assert style.color.is_default
    assert style.bgcolor is not None
    assert style.bgcolor.is_default


def test_without_colours_the_cursor_is_seen_by_reversal() -> None:
    looks = Looks(depth="none")

    assert looks.style("", "cursor").reverse
    assert looks.style("caret", "prompt").reverse
    assert not looks.style("", "").reverse


@pytest.mark.parametrize(
    ("setting", "depth", "is_light_ground", "name"),
    [
        ("auto", "truecolor", False, "mlbench-dark"),
        ("auto", "256", True, "mlbench-light"),
        ("dark", "truecolor", True, "mlbench-dark"),
        ("light", "truecolor", False, "mlbench-light"),
        ("ansi-light", "truecolor", False, "ansi-light"),
        ("auto", "16", False, "ansi-dark"),
        ("auto", "none", True, "ansi-light"),
    ],
)
def test_the_theme_follows_the_setting_and_the_terminal(
    setting: str, depth: str, is_light_ground: bool, name: str
) -> None:
    assert looks_of(setting, depth, is_light_ground=is_light_ground).theme_name == name  # type: ignore[arg-type]


def test_textual_gets_both_themes() -> None:
    assert [(theme.name, theme.dark) for theme in themes()] == [("mlbench-dark", True), ("mlbench-light", False)]


def test_styles_are_made_once() -> None:
    looks = Looks()

    assert looks.style("run1", "cursor") is looks.style("run1", "cursor")
    assert isinstance(looks.style("no such role"), Style)
