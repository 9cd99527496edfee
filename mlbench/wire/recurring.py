"""Parameters that run after run of a sweep has in common, made once: what was found out about one holds for the next.

Whoever reads parameters keeps those that it meets for the second time (`remember`) and gives the same object from then
on. What is known of such an object beside what it says (`Recurring`) is looked up by its identity, which costs a tenth
of finding it out: whether it can be stored and hides nothing, its text as JSON, its type.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Final, TypeVar

from mlbench.model import Param

MOST: Final = 1024
"""Of more all are forgotten, which costs time and nothing else: a process stays small."""
T = TypeVar("T", bound=Hashable)


class _FloatTexts(dict[float, str]):
    """What `repr` says of numbers: a dump, the next one and the event file name the same, and each is told twice."""

    def __missing__(self, value: float) -> str:
        text = float.__repr__(value)  # of numpy's numbers too, which are equal to Python's and look otherwise
        if len(self) >= MOST:
            self.clear()
        if value:  # zeros of both signs are equal
            self[value] = text
        return text


float_texts: Final = _FloatTexts()


class Recurring:
    """What is known of a parameter that came more than once."""

    __slots__ = ("fact", "is_kept", "text", "typed")

    def __init__(self, fact: Param) -> None:
        self.fact = fact
        """Held, so that no other object has its identity."""
        self.is_kept = False
        """It can be stored, and as it is: it hides no secret."""
        self.text = ""
        """As JSON; '' before somebody asked."""
        self.typed: tuple[str, float | None, str] | None = None
        """Type, number and text of its value; None before somebody asked."""


_known: dict[int, Recurring] = {}
find = _known.get
"""What is known of the object with this `id`; None where it came but once."""


def remember(met: dict[T, Param | None], source: T, fact: Param, most: int) -> None:
    """Note that a parameter was read, and keep it where that was so before.

    Args:
        met: what it was read from, by the reader that knows what else decides; None for what was met once.
        source: what it was read from now.
        fact: the parameter.
        most: how many `met` may hold, at least 1; of more all are forgotten.
    """
    if source in met:
        if len(_known) >= MOST:
            _known.clear()
        met[source] = fact
        _known[id(fact)] = Recurring(fact)
    else:
        if len(met) >= most:
            met.clear()
        met[source] = None


def known() -> int:
    """How many parameters are kept."""
    return len(_known)


def forget() -> None:
    """Begin anew, as a new process does."""
    _known.clear()
    float_texts.clear()
