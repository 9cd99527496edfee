"""Text that strangers wrote: what a terminal, a report or a table may show of it.

`safe` stands before the terminal, `markdown_text` and its kin before files that others open; what is never stored is
the business of `redaction`. Standard library only.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable
from typing import SupportsIndex

MAX_SHOWN = 4096
"""Characters of one text that are shown at once; more is never read and slows every terminal down."""
MAX_MARKS = 5
"""Combining marks on one letter: real scripts need fewer, floods paint over the lines around."""

_MARKS = ("Mn", "Me")
"""Unicode's categories of them."""

# ---------------------------------------------------------------- the terminal


class Safe(str):
    """Text that may reach a terminal: printable, one line (or lines, from `safe_lines`), bounded.

    Made by `safe`, `safe_lines` and by joining and cutting; never by calling the class.
    """

    __slots__ = ()

    def __add__(self, other: str) -> Safe:
        return Safe(str.__add__(self, _as_safe(other)))

    def __getitem__(self, key: SupportsIndex | slice) -> Safe:
        return Safe(str.__getitem__(self, key))

    def join(self, parts: Iterable[str]) -> Safe:
        return Safe(str.join(self, (_as_safe(part) for part in parts)))


# Letters without a shape: they pass for printable, but two names that differ in them look the same.
_SHAPELESS = frozenset({0x115F, 0x1160, 0x3164, 0xFFA0, *range(0xE0100, 0xE01F0)})


class _Visible(dict[int, int]):
    """Code point to code point for `str.translate`; filled as code points are met."""

    def __missing__(self, code: int) -> int:
        if code < 0x20 or code == 0x7F:
            shown = 0x2421 if code == 0x7F else 0x2400 + code
        elif unicodedata.category(chr(code)) == "Zs":
            shown = 0x20
        else:
            shown = code if chr(code).isprintable() and code not in _SHAPELESS else 0xFFFD
        self[code] = shown
        return shown


_ONE_LINE = _Visible()
_LINES = _Visible({0x0A: 0x0A})
_FILE = _Visible({0x09: 0x09, 0x0A: 0x0A, 0x0D: 0x0D})


def safe(text: object, *, limit: int = MAX_SHOWN) -> Safe:
    """Make any text fit to be shown on one line.

    Control characters become their visible symbols (newline: U+240A); what is invisible, turns the direction
    or is no character becomes U+FFFD; spaces of all widths become a space; more than `limit` characters end in
    an ellipsis. What is returned always satisfies `str.isprintable`.
    """
    return Safe(_clean(_capped(str(text), limit), _ONE_LINE))


def safe_lines(text: object, *, limit: int = 64 * MAX_SHOWN) -> Safe:
    """As `safe`, but newlines stay; a carriage return before one goes."""
    return Safe(_clean(_capped(str(text), limit).replace("\r\n", "\n"), _LINES))


def _as_safe(text: str) -> Safe:
    return text if isinstance(text, Safe) else safe(text)


def _capped(string: str, limit: int) -> str:
    return string if len(string) <= limit else string[: max(limit - 1, 0)] + "…"


def _clean(string: str, table: _Visible) -> str:
    if string.isascii():
        return string if string.isprintable() else string.translate(table)
    shown = string.translate(table)
    if not any(unicodedata.category(char) in _MARKS for char in set(shown)):
        return shown
    kept: list[str] = []
    n_marks = 0
    for char in shown:
        n_marks = n_marks + 1 if unicodedata.category(char) in _MARKS else 0
        if n_marks <= MAX_MARKS:
            kept.append(char)
    return "".join(kept)


# ---------------------------------------------------------------- files that others open

_MARKDOWN = re.compile(r"""[\\`*_{}\[\]()<>#+\-.!|~&:@/$^="']|^ | (?= )| $""")


def markdown_text(text: object) -> str:
    """Escape for Markdown prose, headings and table cells: shown as written, on one line, never live.

    All punctuation that Markdown, HTML or a forge's mentions act upon becomes a numeric entity.
    """
    return _MARKDOWN.sub(lambda match: f"&#{ord(match[0])};", _clean(str(text), _ONE_LINE))


def markdown_code(text: object) -> str:
    """Escape as an inline code span that is also safe in a table cell.

    A text with `|`, and one without anything to see, has no code span that is right both in and outside of
    tables: it is given as `markdown_text`.
    """
    line = _clean(str(text), _ONE_LINE)
    if "|" in line or not line.strip(" "):
        return markdown_text(line)
    fence = _fence(line, 1)
    pad = " " if line[0] in " `" or line[-1] in " `" else ""
    return f"{fence}{pad}{line}{pad}{fence}"


def markdown_block(text: object, *, language: str = "") -> str:
    """A fenced code block, closed by nothing that the text can hold; ends in a newline."""
    lines = _clean(str(text).replace("\r\n", "\n"), _LINES)
    fence = _fence(lines, 3)
    return f"{fence}{language}\n{lines.removesuffix(chr(10))}\n{fence}\n"


def _fence(text: str, least: int) -> str:
    runs = re.findall("`+", text)
    return "`" * max(least, 1 + max(map(len, runs), default=0))


NUMBER = re.compile(
    r"[+-]?(?:\d++(?:\.\d*+)?|\.\d++)(?:[eE][+-]?\d++)?|[+-]?(?:inf|infinity|nan)", re.IGNORECASE | re.ASCII
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def csv_cell(text: str) -> str:
    """A cell that no spreadsheet takes for a formula; numbers stay as they are. Quoting is left to `csv`."""
    return _no_formula(_clean(text, _FILE))


def tsv_cell(text: str) -> str:
    """As `csv_cell`, with tabs and line ends as visible symbols, for formats without quoting."""
    return _no_formula(_clean(text, _ONE_LINE))


def _no_formula(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) and not NUMBER.fullmatch(cell) else cell


_LATEX = str.maketrans({
    "\\": r"\textbackslash{}", "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "`": r"\textasciigrave{}",
    "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", '"': r"\textquotedbl{}",
    "[": "{[}", "]": "{]}", "*": "{*}", "-": "-{}", **{char: "\\" + char for char in "{}$&#_%"},
})  # fmt: skip


def latex_text(text: object) -> str:
    """Escape for LaTeX text and tables; brackets and stars are guarded, since a line break would take them in."""
    return _clean(str(text), _ONE_LINE).translate(_LATEX)


def file_slug(text: str) -> str:
    """A portable file name (without extension) for a text: readable part, `-`, 8 hex digits of its hash."""
    ascii_text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    readable = re.sub(r"[^A-Za-z0-9_]+", "-", ascii_text)[:60].strip("-_")
    mark = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=4).hexdigest()
    return f"{readable or 'run'}-{mark}"


_ESCAPED_BYTE = re.compile(rb"\\x([0-9a-f]{2})")


def text_of_path(path: str) -> str:
    r"""A path as valid UTF-8 text: bytes that are not UTF-8 as `\xNN`. `path_of_text` gives the path back."""
    if path.isascii() and "\\x" not in path:
        return path
    try:
        raw = path.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # a surrogate that no file name gives
        raw = path.encode("utf-8", "surrogatepass")
    return _ESCAPED_BYTE.sub(rb"\\x5cx\1", raw).decode("utf-8", "backslashreplace")


def path_of_text(text: str) -> str:
    """The path that `text_of_path` was given."""
    raw = _ESCAPED_BYTE.sub(lambda match: bytes.fromhex(match[1].decode()), text.encode("utf-8", "surrogateescape"))
    return raw.decode("utf-8", "surrogateescape")
