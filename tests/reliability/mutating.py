"""Bytes changed at random: as disks and networks change them, and as somebody would who wants a reader to fail."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from tests.reliability.resealing import resealed

MAX_BYTES = 300_000
"""Of one input: longer ones only take longer."""

_NUMBERS = (
    0,
    1,
    0x7F,
    0x80,
    0xFF,
    0x7FFF,
    0xFFFF,
    0x7FFFFFFF,
    0x80000000,
    0xFFFFFFFF,
    1 << 62,
    (1 << 63) - 1,
    (1 << 64) - 1,
)
_TEXTS = (
    b"\0", b"\n", b"\r\n", b"\xff\xfe", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\xc0\xaf", b"\xe2\x80\xae", b"\x1b]52;c;aGk=\x07",
    b"{", b"}", b"[", b"]", b"(", b")", b"\"", b"'", b"\\", b"\\u", b"\\ud800", b"\\x", b",", b":", b": ", b"- ", b"? ", b"| ",
    b"> ", b"&a ", b"*a", b"<<: ", b"!!python/object/apply:os.system ", b"!!binary ", b"---\n", b"...\n", b"%YAML 9.9\n", b"# ",
    b"nan", b"-inf", b"Infinity", b"1e999999999", b"-0", b"0x", b"1_000", b"9" * 400, b"9" * 5000, b"1e-400", b"True", b"null",
    b"~", b".nan", b"0o7", b"2024-02-30", b"0001-01-01", b"12:30:45", b"Namespace(", b"lambda", b"=", b"==", b"'''", b"\"\"\"",
    b"../" * 20, b"/dev/zero", b"%s%n", b"${x:-", b"{{", b"<a b='", b"&amp;", b"\t", b" " * 300,
)  # fmt: skip
_NESTS = (
    b"[",
    b"{",
    b"(",
    b'{"a":',
    b"[[",
    b"- ",
    b"a(",
    b"not ",
    b"-",
    b"{a: ",
    b"<",
    b"'",
    b"((x",
    b"\\",
    b"*",
    b"&a [",
)
"""What a reader that goes down for each dies of."""


def mutated(content: bytes, dice: random.Random, others: Sequence[bytes]) -> bytes:
    """One to six changes of a content.

    Args:
        content: a seed.
        dice: by which alone the changes are chosen.
        others: contents of the same kind, of which pieces are taken.
    """
    if dice.random() < 0.5:
        inside = resealed(content, dice, lambda piece: dice.choice(_CHANGES)(piece, dice, others))
        if inside is not None:
            return inside[:MAX_BYTES]
    for _change in range(dice.choice((1, 1, 1, 2, 3, 6))):
        content = dice.choice(_CHANGES)(content, dice, others)
    return content[:MAX_BYTES]


def _place(content: bytes, dice: random.Random) -> int:
    """Anywhere, but as often as not near the beginning or the end, where lengths and footers are."""
    where = dice.random()
    if where < 0.25:
        return dice.randrange(min(len(content), 64) + 1)
    if where < 0.4:
        return len(content) - dice.randrange(min(len(content), 64) + 1)
    return dice.randrange(len(content) + 1)


def _flip(content: bytes, dice: random.Random, _others: Sequence[bytes]) -> bytes:
    if not content:
        return b"\xff"
    at = min(_place(content, dice), len(content) - 1)
    return content[:at] + bytes([content[at] ^ 1 << dice.randrange(8)]) + content[at + 1 :]


def _set(content: bytes, dice: random.Random, _others: Sequence[bytes]) -> bytes:
    at = _place(content, dice)
    return content[:at] + bytes([dice.randrange(256)]) + content[at + 1 :]


def _number(content: bytes, dice: random.Random, _others: Sequence[bytes]) -> bytes:
    """A number of 1, 2, 4 or 8 bytes that is at a limit, of either order."""
    at, width = _place(content, dice), dice.choice((1, 2, 4, 8))
    number = (dice.choice(_NUMBERS) + dice.choice((0, 0, 1, -1))) % (1 << 8 * width)
    return content[:at] + number.to_bytes(width, dice.choice(("little", "big"))) + content[at + width :]


def _cut(content: bytes, dice: random.Random, _others: Sequence[bytes]) -> bytes:
    return content[: _place(content, dice)]


def _remove(content: bytes, dice: random.Random, _others: Sequence[bytes]) -> bytes:
    at = _place(content, dice)
    return content[:at] + content[at + dice.choice((1, 2, 8, 100, 1000)) :]


def _repeat(content: bytes, dice: random.Random, _others: Sequence[bytes]) -> bytes:
    at = _place(content, dice)
    piece = content[at : at + dice.choice((1, 4, 30, 300))]
    return content[:at] + piece * dice.choice((2, 3, 10, 100)) + content[at + len(piece) :]


def _insert(content: bytes, dice: random.Random, _others: Sequence[bytes]) -> bytes:
    at = _place(content, dice)
    return content[:at] + dice.choice(_TEXTS) + content[at + dice.choice((0, 0, 1, 4)) :]


def _nest(content: bytes, dice: random.Random, _others: Sequence[bytes]) -> bytes:
    at = _place(content, dice)
    return content[:at] + dice.choice(_NESTS) * dice.choice((20, 120, 1100, 20_000)) + content[at:]


def _splice(content: bytes, dice: random.Random, others: Sequence[bytes]) -> bytes:
    other = dice.choice(others)
    start = _place(other, dice)
    at = _place(content, dice)
    return content[:at] + other[start : start + dice.choice((4, 40, 400, 4000))] + content[at:]


_Change = Callable[[bytes, random.Random, Sequence[bytes]], bytes]
_CHANGES: tuple[_Change, ...] = (
    _flip,
    _flip,
    _set,
    _number,
    _number,
    _cut,
    _remove,
    _repeat,
    _insert,
    _insert,
    _nest,
    _splice,
)
