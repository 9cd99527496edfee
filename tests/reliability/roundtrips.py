"""Texts of any kind through reports and tables, and back by the parsers that others read them with.

What comes back is compared with `shown`, which says anew, plainly and slowly, what docs/reference promises of such text.
"""

from __future__ import annotations

import csv
import io
import json
import random
import re
import time
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser

from mlbench.render import records
from mlbench.render.records import Records
from mlbench.render.report import ReportFiles
from mlbench.render.report_html import html_report
from mlbench.safe import markdown_block, markdown_code, markdown_text
from tests.reliability.hostile import PAYLOADS

AT_ONCE = 25
"""Texts of one document."""
_SHAPELESS = {0x115F, 0x1160, 0x3164, 0xFFA0, *range(0xE0100, 0xE01F0)}
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|[+-]?(?:inf|infinity|nan)", re.IGNORECASE)
_FORMULA = "=+-@\t\r\n＝＋－＠"
_PUNCTUATION = "\\`*_{}[]()<>#+-.!|~&:@/$^=\"'%;,?"
_PIECES = (
    *PAYLOADS, "&amp;", "&#124;", "&lt;b&gt;", "&nbsp;", "<!--", "-->", "<![CDATA[", "]]>", "<b>", "</td>", "</table>", "<?php", "```", "~~~", "| --- |",
    "\n\n", "\r\n", "\r", "\t", "    code", "# h", "> q", "- l", "1. l", "***", "---", "===", "[a]: http://x", "[^1]", "![x](y)", "<http://x>", "http://x.y/z",
    "www.x.y", "a@b.cd", "@user", "#12", ":smile:", "~~s~~", "__b__", "\\|", "\\\n", "  \n", "'", "\"", "\"\"", ",", ";", "=1+1", "+1", "-1", "-0.5", "1e-3", "@a",
    "＝1", "nan", "-inf", "\u0301" * 7, "\u200b", "\u202e", "\ufeff", "\u2028", "\u00a0", "\u3000", "\U0001f600", "\u0645\u0631\u062d\u0628\u0627", "é", "漢字", "\ud800", "\x00", "\x1b[2J", "\x85", "\x9b",
)  # fmt: skip


@dataclass(slots=True)
class Trips:
    """What came of the texts."""

    n_texts: int = 0
    by_way: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)
    """Way, text, and what came back."""


def text_of(dice: random.Random) -> str:
    """A text of a few pieces that mean something to some parser, and of any characters."""
    parts = []
    for _piece in range(dice.choice((0, 1, 1, 2, 3, 5, 8))):
        kind = dice.random()
        if kind < 0.4:
            parts.append(dice.choice(_PIECES))
        elif kind < 0.75:
            parts.append("".join(dice.choice(_PUNCTUATION + " \n") for _ in range(dice.randrange(1, 9))))
        elif kind < 0.9:
            parts.append("".join(dice.choice("abc XYZ019") for _ in range(dice.randrange(1, 9))))
        else:
            parts.append("".join(chr(dice.choice((dice.randrange(0x300), dice.randrange(0x110000)))) for _ in range(3)))
    return "".join(parts)


def shown(text: str, *, kept: str = "") -> str:
    """The text as a file shows it: what cannot be seen becomes a sign, all spaces one kind, and of marks on a letter five stay.

    Args:
        text: any text.
        kept: control characters that the format keeps.
    """
    made: list[str] = []
    n_marks = 0
    for char in text:
        code, category = ord(char), unicodedata.category(char)
        if char in kept:
            sign = char
        elif code < 0x20:
            sign = chr(0x2400 + code)
        elif code == 0x7F:
            sign = "\u2421"
        elif category == "Zs":
            sign = " "
        else:
            sign = char if char.isprintable() and code not in _SHAPELESS else "\ufffd"
        n_marks = n_marks + 1 if unicodedata.category(sign) in ("Mn", "Me") else 0
        if n_marks <= 5:
            made.append(sign)
    return "".join(made)


def cell(text: str, *, kept: str = "") -> str:
    """As `shown`, with an apostrophe before what a spreadsheet would take for a formula."""
    clean = shown(text, kept=kept)
    return f"'{clean}" if clean[:1] and clean[0] in _FORMULA and not _NUMBER.fullmatch(clean) else clean


# ---------------------------------------------------------------- tables


def through_csv(texts: Sequence[str]) -> Iterator[tuple[str, str]]:
    """As keys and as cells, parsed as RFC 4180 has it."""
    table = _table(texts)
    rows = list(csv.reader(io.StringIO(records.to_csv(table), newline="")))
    for row, wanted in zip(rows, (table.keys, *table.rows), strict=True):
        for got, text in zip(row, wanted, strict=True):
            yield cell(str(text), kept="\t\n\r"), got


def through_tsv(texts: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The same without quoting: cells between tabs, rows between line ends."""
    table = _table(texts)
    lines = records.to_tsv(table).removesuffix("\n").split("\n")
    for line, wanted in zip(lines, (table.keys, *table.rows), strict=True):
        for got, text in zip(line.split("\t"), wanted, strict=True):
            yield cell(str(text)), got


def through_json(texts: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Exactly as they are, but for halves of characters, which no UTF-8 can hold."""
    table = _table(texts)
    for row, wanted in zip(json.loads(records.to_json(table)), table.rows, strict=True):
        for got, text in zip(row.values(), wanted, strict=True):
            yield str(text).encode("utf-8", "replace").decode(), str(got).encode("utf-8", "replace").decode()


def _table(texts: Sequence[str]) -> Records:
    half = len(texts) // 2
    keys = records.unique_keys([text or "k" for text in texts[:half]])
    return Records(keys, (tuple(texts[:half]), tuple(texts[half : 2 * half])))


# ---------------------------------------------------------------- reports


class _Read(HTMLParser):
    """The texts of the elements with a number, and every tag that is met."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.texts: list[str] = []
        self.tags: Counter[str] = Counter()
        self._is_inside = False

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.tags.update(f"{tag} {name}" for name, _value in attributes)

    def handle_decl(self, decl: str) -> None:
        self.tags[f"!{decl}"] += 1

    def handle_comment(self, data: str) -> None:
        self.tags["comment"] += 1

    def handle_pi(self, data: str) -> None:
        self.tags["?"] += 1

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


_BEGIN, _END = "\u27e6", "\u27e7"
"""Signs around each text, by which it is found again: they are taken out of the texts themselves."""


def documents(texts: Sequence[str]) -> dict[str, tuple[str, Callable[[str], str]]]:
    """Markdown with the texts in every place that reports have, and what each shows."""
    plain = [f"{_BEGIN}{markdown_text(text)}{_END}" for text in texts]
    codes = [f"{_BEGIN}{markdown_code(text)}{_END}" for text in texts]
    rows = ["| a | b |", "| --- | --- |"]
    return {
        "paragraphs": ("\n\n".join(plain), shown),
        "lists": ("\n".join(f"- {text}" for text in plain), shown),
        "headings": ("\n\n".join(f"## {text}" for text in plain), shown),
        "strong": ("\n\n".join(f"**{text}**" for text in plain), shown),
        "cells": ("\n".join([*rows, *(f"| {text} | x |" for text in plain)]), shown),
        "code": ("\n\n".join(codes), shown),
        "code in cells": ("\n".join([*rows, *(f"| {text} | x |" for text in codes)]), shown),
        "blocks": ("\n".join(markdown_block(f"{_BEGIN}{text}{_END}") for text in texts), _block),
    }


def _block(text: str) -> str:
    return shown(text.replace("\r\n", "\n"), kept="\n")


_TAGS = {
    "paragraphs": {"p"}, "lists": {"ul", "li"}, "headings": {"h2"}, "strong": {"p", "strong"}, "code": {"p", "code"},
    "cells": {"table", "thead", "tbody", "tr", "th", "td"}, "code in cells": {"table", "thead", "tbody", "tr", "th", "td", "code"},
    "blocks": {"pre", "code"},
}  # fmt: skip
_OF_A_PAGE = {
    "!doctype html", "html", "html lang", "head", "meta", "meta charset", "meta http-equiv", "meta content", "meta name",
    "title", "style", "body", "div", "div class",
}  # fmt: skip


def through_markdown(texts: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    """Way, what is wanted, and what CommonMark (with tables, as forges have them) makes of it."""
    from markdown_it import MarkdownIt

    reader = MarkdownIt("commonmark").enable(["table"])
    for way, (text, of_text) in documents(texts).items():
        yield from _compared(f"markdown, {way}", reader.render(text), texts, of_text, _TAGS[way])


def through_html(texts: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    """The same of a report as one HTML file."""
    for way, (text, of_text) in documents(texts).items():
        page = html_report(ReportFiles(f"# Report\n\n{text}"))
        yield from _compared(f"html, {way}", page, texts, of_text, _TAGS[way] | _OF_A_PAGE | {"h1"})


def _compared(
    way: str, page: str, texts: Sequence[str], of_text: Callable[[str], str], allowed: set[str]
) -> Iterator[tuple[str, str, str]]:
    read = _Read()
    read.feed(page)
    read.close()
    whole = "".join(read.texts)
    found = re.findall(f"{_BEGIN}(.*?){_END}", whole, re.DOTALL)
    if len(found) != len(texts):
        yield f"{way}: as many", str(len(texts)), str(len(found))
    for text, got in zip(texts, found, strict=False):
        yield way, of_text(text), got
    others = {tag for tag in read.tags if tag not in allowed}
    yield f"{way}: other elements", "[]", str(sorted(others))


# ---------------------------------------------------------------- many


def many(count: int, seed: int, until_s: float) -> Trips:
    """So many texts through every way, or as many as there is time for."""
    trips, dice = Trips(), random.Random(seed)
    while trips.n_texts < count and time.monotonic() < until_s:
        texts = [text_of(dice).replace(_BEGIN, "").replace(_END, "") for _ in range(2 * (AT_ONCE // 2))]
        trips.n_texts += len(texts)
        for way, wanted, got in _all_ways(texts):
            trips.by_way[way.partition(":")[0]] += 1
            if wanted != got:
                trips.broken.append(f"{way}: {wanted!r} came back as {got!r}"[:500])
    return trips


def _all_ways(texts: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    for way, through in (("csv", through_csv), ("tsv", through_tsv), ("json", through_json)):
        for wanted, got in through(texts):
            yield way, wanted, got
    yield from through_markdown(texts)
    yield from through_html(texts)
