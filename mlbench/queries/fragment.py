"""A piece of SQL with the values bound in it, in their order. Text of users and logs is never part of the SQL."""

from __future__ import annotations

from collections.abc import Iterable

from mlbench.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Sql:
    text: str
    parameters: tuple[object, ...] = ()
    """One for each `?`, in order. Texts are valid UTF-8: see `bindable`."""


TRUE = Sql("true")
FALSE = Sql("false")


def joined(word: str, parts: Iterable[Sql]) -> Sql:
    """The parts in parentheses with a word between them."""
    listed = list(parts)
    text = f" {word} ".join(f"({part.text})" for part in listed)
    return Sql(text, tuple(value for part in listed for value in part.parameters))


def bindable(text: str) -> str:
    """The text as a value can be bound: what is no UTF-8 (it came from a command line) becomes `?`."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")
