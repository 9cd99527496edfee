"""The bytes of a dump as text."""

from __future__ import annotations

import codecs

from mlbench.wire.dump_tree import TreeError


def decode_text(content: bytes) -> tuple[str, int | None]:
    r"""Decode UTF-8, or UTF-16 with a mark (what PowerShell's `>` writes).

    Returns:
        The text with `\n` line ends, and the line of the first byte that is not UTF-8 (None if there is none); such
        bytes become U+FFFD.

    Raises:
        TreeError: the content is binary.
    """
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        text = content.decode("utf-16", errors="replace")
        bad_at = text.find("�")
        line = text.count("\n", 0, bad_at) + 1 if bad_at >= 0 else None
        return _newlines(_no_nul(text)), line
    content = content.removeprefix(codecs.BOM_UTF8)
    if b"\0" in content:
        raise TreeError("is binary")
    try:
        return _newlines(content.decode()), None
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return _newlines(content.decode(errors="replace")), line


def _no_nul(text: str) -> str:
    if "\0" in text:
        raise TreeError("is binary")
    return text


def _newlines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")
