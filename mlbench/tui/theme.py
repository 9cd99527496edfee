"""Roles to styles: the only place in the workbench that knows a colour."""

from __future__ import annotations

from functools import lru_cache

from rich.color import Color, ColorParseError
from rich.style import Style
from textual.theme import Theme

from mlbench.render.cells import Cell
from mlbench.render.palette import DARK_GROUND, LIGHT_GROUND, look
from mlbench.tui.terminal import Depth

DARK_NAME, LIGHT_NAME = "mlbench-dark", "mlbench-light"

_DARK = {
    "": DARK_GROUND, "bar": "#262626", "cursor": "#303a46", "quiet": "#1f2226", "marked": "#1a1d21",
    "prompt": "#1c1c1c", "popup": "#222222", "text": "#d0d0d0", "accent": "#87afd7", "sketch": "#5f6f80",
}  # fmt: skip
_LIGHT = {
    "": LIGHT_GROUND, "bar": "#e4e4e4", "cursor": "#cfe0f3", "quiet": "#eef1f5", "marked": "#f4f6f9",
    "prompt": "#f0f0f0", "popup": "#f2f2f2", "text": "#1c1c1c", "accent": "#005f87", "sketch": "#8a9aaa",
}  # fmt: skip
GROUNDS = ("", "bar", "cursor", "quiet", "marked", "prompt", "popup")
"""What text stands on: the pane, the header and footer, the line under the cursor, that line where the pane is not at
work, the line of a marked run, the prompt, and the list above the prompt."""
_REVERSED = frozenset({"cursor", "bar"})
_UNDERLINED = frozenset({"quiet"})
_LINES = ("added", "removed")
"""Grounds of lines of a diff, whose sign says the same."""


class Looks:
    """Styles for one terminal: by theme and number of colours."""

    def __init__(
        self, *, is_light: bool = False, depth: Depth = "truecolor", is_native: bool = False, is_linear: bool = False
    ) -> None:
        """Choose the styles.

        Args:
            is_light: for a light ground.
            depth: how many colours the terminal has.
            is_native: the terminal's own sixteen colours and its own background, whatever it could show.
            is_linear: for a screen reader: no colours, words for signs, charts as numbers.
        """
        depth = "none" if is_linear else depth
        self.is_linear = is_linear
        self.is_light = is_light
        self.depth: Depth = "16" if is_native and depth != "none" else depth
        self.is_plain = depth == "none"
        self.is_native = is_native or depth in ("none", "16")
        self._colours = _LIGHT if is_light else _DARK

    def become(self, other: Looks) -> None:
        """Have the styles of another: every pane holds this one."""
        self.is_light, self.depth, self._colours = other.is_light, other.depth, other._colours
        self.is_plain, self.is_native, self.is_linear = other.is_plain, other.is_native, other.is_linear
        Looks.style.cache_clear()

    @property
    def theme_name(self) -> str:
        """Textual's theme for what it draws itself: modals and the palette."""
        if self.is_native:
            return "ansi-light" if self.is_light else "ansi-dark"
        return LIGHT_NAME if self.is_light else DARK_NAME

    @lru_cache(maxsize=2048)  # noqa: B019 - one object lives as long as the app
    def style(self, role: str = "", ground: str = "", back: str = "") -> Style:
        """The style of a role.

        Args:
            role: one of `cells.ROLES`, `accent`, `sketch`, or `caret` for the cursor of the prompt.
            ground: one of GROUNDS.
            back: role of a cell's own background.
        """
        if self.is_native:
            return self._native(role, ground, back)
        if role == "caret":
            return Style(color=_parsed(self._colours[ground]), bgcolor=_parsed(self._colours["text"]))
        shown = look(role, is_light=self.is_light)
        own = self._colours[role] if role in ("accent", "sketch") else ""
        colour = own or shown.colour or self._colours["text"]
        behind = look(back, is_light=self.is_light).colour if back else self._colours[ground]
        return Style(color=_parsed(colour), bgcolor=_parsed(behind), bold=shown.is_bold or role == "accent" or None)

    def _native(self, role: str, ground: str, back: str) -> Style:
        shown = look(role, is_light=self.is_light)
        number = 36 if role == "accent" else shown.ansi16
        is_reversed = ground in _REVERSED
        # A colour on a reversed line would become a block of that colour.
        has_colour = bool(number) and not self.is_plain and not is_reversed
        colour = Color.from_ansi(number - 30 if number < 90 else number - 82) if has_colour else Color.default()
        return Style(
            color=colour,
            bgcolor=Color.default(),
            bold=shown.is_bold or role == "accent" or None,
            dim=(shown.is_dim and not has_colour and not is_reversed) or None,
            reverse=(is_reversed or (bool(back) and back not in _LINES and self.is_plain)) != (role == "caret") or None,
            underline=(ground in _UNDERLINED) or None,
        )

    def cell_style(self, cell: Cell, ground: str = "") -> Style:
        """The style of a cell on a ground."""
        return self.style(cell.role, ground, cell.back)


def _parsed(colour: str) -> Color:
    try:
        return Color.parse(colour)
    except ColorParseError:
        return Color.default()


def themes() -> tuple[Theme, ...]:
    """Textual's themes with our colours."""
    return tuple(
        Theme(
            name=name,
            primary=colours["accent"],
            secondary=colours["accent"],
            accent=colours["accent"],
            foreground=colours["text"],
            background=colours[""],
            surface=colours["popup"],
            panel=colours["bar"],
            boost=colours["popup"],
            warning=look("warning", is_light=is_light).colour,
            error=look("bad", is_light=is_light).colour,
            success=look("good", is_light=is_light).colour,
            dark=not is_light,
        )
        for name, colours, is_light in ((DARK_NAME, _DARK, False), (LIGHT_NAME, _LIGHT, True))
    )


def looks_of(setting: str, depth: Depth, *, is_light_ground: bool = False, is_linear: bool = False) -> Looks:
    """The styles that the setting `theme` asks for: auto, dark, light, ansi-dark or ansi-light."""
    is_light = setting.endswith("light") or (setting == "auto" and is_light_ground)
    return Looks(is_light=is_light, depth=depth, is_native=setting.startswith("ansi-"), is_linear=is_linear)
