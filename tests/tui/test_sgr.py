"""What is said over the wire draws the same screen as what Textual says, in fewer bytes."""

from __future__ import annotations

import pyte
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from mlbench.tui.sgr import to_wire

COLOURS = ("#d0d0d0", "#121212", "#5f6f80", "red", "bright_blue", "color(200)", "default", None)
STYLES = st.builds(
    Style,
    color=st.sampled_from(COLOURS),
    bgcolor=st.sampled_from(COLOURS),
    bold=st.booleans(),
    italic=st.booleans(),
    underline=st.booleans(),
    reverse=st.booleans(),
    strike=st.booleans(),
)
SEGMENTS = st.lists(
    st.builds(Segment, st.text("ab  ", min_size=1, max_size=5), st.one_of(st.none(), STYLES), st.none()), max_size=10
)
INKLESS = ("underscore", "reverse", "strikethrough")


def looks(sequence: str) -> list[tuple[object, ...]]:
    """Each cell as it is seen: the ink of a blank is not."""
    screen = pyte.Screen(60, 1)
    pyte.Stream(screen).feed(sequence)
    cells: list[tuple[object, ...]] = []
    for x in range(60):
        cell = screen.buffer[0][x]
        has_ink = cell.data != " " or any(getattr(cell, name) for name in INKLESS)
        marks = tuple(getattr(cell, name) for name in INKLESS)
        ink = (cell.fg, cell.bold, cell.italics) if has_ink else None
        cells.append((cell.data, cell.bg, marks, ink))
    return cells


@given(SEGMENTS, st.sampled_from([ColorSystem.TRUECOLOR, ColorSystem.EIGHT_BIT, ColorSystem.STANDARD]))
def test_a_line_looks_as_textual_draws_it(segments: list[Segment], system: ColorSystem) -> None:
    theirs = "".join(
        text if style is None else f"\x1b[{Strip.render_ansi(style, system)}m{text}\x1b[0m"  # not from its cache
        for text, style, _control in segments
    )

    ours = to_wire(segments, system)

    assert ours is not None
    assert looks(ours) == looks(theirs)
    assert len(ours) <= max(len(theirs), 1)


@given(SEGMENTS)
def test_a_line_ends_with_the_terminals_own_colours(segments: list[Segment]) -> None:
    line = to_wire(segments, ColorSystem.TRUECOLOR) or ""

    assert looks(f"{line}x")[len("".join(text for text, *_rest in segments))][1:] == looks("x")[0][1:]


def test_links_and_controls_are_left_to_textual() -> None:
    assert to_wire([Segment("a", Style(link="https://example.org"))], ColorSystem.TRUECOLOR) is None


@pytest.mark.parametrize(
    ("colour", "code"), [("#d0d0d0", "38;5;252"), ("#5f6f80", "38;2;95;111;128"), ("#ffffff", "38;5;231")]
)
def test_a_fixed_colour_is_named_by_its_number(colour: str, code: str) -> None:
    assert to_wire([Segment("a", Style(color=colour))], ColorSystem.TRUECOLOR) == f"\x1b[{code}ma\x1b[0m"


def test_cells_of_one_paper_say_their_ink_alone() -> None:
    grey, white = Style(color="#808080", bgcolor="#121212"), Style(color="#ffffff", bgcolor="#121212")

    line = to_wire([Segment("a", grey), Segment("  ", white), Segment("b", white)], ColorSystem.TRUECOLOR)

    assert line == "\x1b[38;5;244;48;5;233ma  \x1b[38;5;231mb\x1b[0m"
