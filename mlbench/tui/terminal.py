"""Whether the workbench can open here, and how many colours there are. Loads no Textual."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

LEAST_COLUMNS, LEAST_ROWS = 60, 15
Depth: TypeAlias = Literal["none", "16", "256", "truecolor"]


def why_not_open(environ: Mapping[str, str], size: tuple[int, int], isatty: bool) -> str | None:
    """One line that says why the workbench cannot open here and what to do instead; None where it can.

    Args:
        environ: the process's environment.
        size: columns and rows of the terminal.
        isatty: whether both standard input and output are a terminal.
    """
    instead = "Try: mlbench query, mlbench diff or mlbench report"
    if not isatty:
        return (
            f"no terminal is attached, and the workbench needs one. To open it, type mlbench in a terminal. {instead}"
        )
    term = environ.get("TERM", "")
    if term in ("", "dumb", "unknown"):
        said = f"TERM={term}" if term else "TERM is not set"
        return f"{said}: this terminal cannot move its cursor, so the workbench cannot open. {instead}"
    if too_small(size):
        return f"{small_text(size)}. Make it larger, or: {instead.removeprefix('Try: ')}"
    return None


def too_small(size: tuple[int, int]) -> bool:
    """Whether the workbench has no room on so many columns and rows."""
    return size[0] < LEAST_COLUMNS or size[1] < LEAST_ROWS


def small_text(size: tuple[int, int]) -> str:
    """What is too small, and what would do."""
    return f"the terminal is {size[0]}x{size[1]}, and the workbench needs {LEAST_COLUMNS}x{LEAST_ROWS}"


def colour_depth(environ: Mapping[str, str]) -> Depth:
    """How many colours the terminal says it has; none with NO_COLOR, whatever its value."""
    if "NO_COLOR" in environ:
        return "none"
    if environ.get("COLORTERM", "").lower() in ("truecolor", "24bit"):
        return "truecolor"
    return "256" if "256" in environ.get("TERM", "") else "16"


def editor_words(environ: Mapping[str, str]) -> list[str]:
    """The user's editor with its own options: VISUAL, else EDITOR, else vi."""
    import shlex

    for name in ("VISUAL", "EDITOR"):
        try:
            words = shlex.split(environ.get(name, ""))
        except ValueError:
            words = [environ[name]]
        if words:
            return words
    return ["vi"]


def glyphs_of(setting: str, environ: Mapping[str, str], encoding: str) -> str:
    """What charts are drawn with: braille where it can be shown, blocks on the Linux console, else ascii.

    Args:
        setting: auto, braille, blocks or ascii.
        environ: the process's environment.
        encoding: of standard output.
    """
    if setting != "auto":
        return setting
    if encoding.lower().replace("-", "") != "utf8":
        return "ascii"
    term = environ.get("TERM", "")
    return "blocks" if term == "linux" or term.startswith("vt") else "braille"
