"""Histories that several people could have made together: clocks that are wrong, and words heard late or never."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, fields

from mlbench.journal import Entry, RunRef, Words, fold

RUNS = tuple(RunRef(f"/r/{name}", f"f{name}") for name in "abc")
MOVED = {"/r/a": "/r/b"}
"""What may have moved since."""
_HOUR_US = 3_600_000_000
_START_US = 1_700_000_000_000_000


@dataclass(slots=True)
class Actor:
    """One process: a clock that goes wrong, and what it has read of the others' files."""

    name: str
    skew_us: int
    last: tuple[int, int] = (0, 0)
    number: int = 0
    heard: list[Entry] = field(default_factory=list)

    def say(self, at_us: int, dice: random.Random) -> Entry:
        """One word, stamped as `Journal` stamps it: after its own clock and after all that it has heard."""
        us, tick = max([self.last, *(entry[:2] for entry in self.heard)])
        now = max(0, at_us + self.skew_us)
        self.last = (now, 0) if now > us else (us, tick + 1)
        self.number += 1
        author = f"user{ord(self.name) % 2}@{self.name}"
        entry = _word(Entry(*self.last, self.name, self.number, author, ""), self.heard, dice)
        self.heard.append(entry)
        return entry


def history(dice: random.Random) -> list[Entry]:
    """What 2 to 5 actors said in 1 to 25 words, with clocks up to a day apart and jumping."""
    actors = [Actor(name, dice.randint(-24, 24) * _HOUR_US) for name in "vwxyz"[: dice.randint(2, 5)]]
    entries: list[Entry] = []
    for at in range(dice.randint(1, 25)):
        actor = dice.choice(actors)
        if dice.random() < 0.1:
            actor.skew_us = dice.randint(-24, 24) * _HOUR_US
        if dice.random() < 0.4 and entries:
            actor.heard.extend(dice.sample(entries, dice.randint(1, len(entries))))
        # Often within the same microsecond, so that the ticks and the names of the actors must decide.
        entries.append(actor.say(_START_US + at * dice.choice((0, 1, _HOUR_US)), dice))
    return entries


def _word(entry: Entry, heard: list[Entry], dice: random.Random) -> Entry:
    """The entry with a word of any kind in it."""
    runs = tuple(dice.sample(RUNS, dice.randint(1, 2)))
    ids = tuple(said.id for said in dice.sample(heard, min(len(heard), dice.randint(0, 2))))
    tags = ("good", "bad", "odd")
    return dice.choice([
        entry._replace(op="tag", runs=runs, add=(dice.choice(tags),), remove=(dice.choice(tags),)),
        entry._replace(op="tag", runs=runs, add=tuple(dice.sample(tags, 2))),
        entry._replace(op="note", runs=runs, remove=ids, text=dice.choice(("", "looks odd", "again"))),
        entry._replace(op="name", runs=runs, text=dice.choice(("", "best"))),
        entry._replace(op=dice.choice(("archive", "unarchive")), runs=runs),
        entry._replace(op="baseline", runs=runs[:1], key=dice.choice(("", "p"))),
        entry._replace(op="goal", key="loss", text=dice.choice(("min", "max", ""))),
        entry._replace(op="view", key="v", text=dice.choice(("", "metrics.loss < 1"))),
        entry._replace(op=dice.choice(("root", "root_removed")), text=dice.choice(("/x", "/y"))),
        entry._replace(op="adopt", runs=runs[:1], key=dice.choice(RUNS).key),
        entry._replace(op="undo", remove=ids),
    ])  # fmt: skip


def diverging(entries: list[Entry], dice: random.Random) -> list[str]:
    """Ways of arrival in which the entries fold to other words than in the order they were said; [] is right."""
    ways = {
        "shuffled": dice.sample(entries, len(entries)),
        "repeated": dice.choices(entries, k=len(entries)) + dice.sample(entries, len(entries)),
        "backwards": entries[::-1],
        "by actor": sorted(entries, key=lambda entry: entry.actor),
    }
    return [
        f"{way}{' after a move' if place else ''}"
        for place in ({}, MOVED)
        for way, arrived in ways.items()
        if _told(fold(arrived, place)) != _told(fold(entries, place))
    ]


def _told(words: Words) -> tuple[Words, list[list[object]]]:
    """All that a reader sees, the order in every mapping too."""
    return words, [
        list(value) for value in (getattr(words, one.name) for one in fields(words)) if isinstance(value, dict)
    ]
