"""The state of reading one event file: what is handed out next, and the cursor to go on from.

The cursor's state is described in `mlbench.adapters.tensorboard`.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from mlbench.model import Cursor, Fact, JsonValue, Points, Problem, ReadStatus
from mlbench.wire.crc32c import crc32c

# Kind of damage: what is said of one and of several, and what to do.
_SAID = {
    "payload": (
        "1 record has a bad checksum and was left out",
        "{n} records have a bad checksum and were left out",
        "The file was damaged after it was written: compare it with another copy",
    ),
    "length": (
        "The framing is broken in 1 place; what lies there was left out",
        "The framing is broken in {n} places; what lies there was left out",
        "The file was damaged after it was written: compare it with another copy",
    ),
    "event": (
        "1 record holds no valid event and was left out",
        "{n} records hold no valid event and were left out",
        "The records are whole: another program than a TensorBoard writer made them",
    ),
    "tag": (
        "1 value has a name that is not valid UTF-8; the wrong bytes are shown as \ufffd",
        "{n} values have names that are not valid UTF-8; the wrong bytes are shown as \ufffd",
        "",
    ),
    "hparams": (
        "1 description of hyper-parameters could not be decoded",
        "{n} descriptions of hyper-parameters could not be decoded",
        "",
    ),
}

_Columns: TypeAlias = "tuple[array[int], array[float], array[float], array[int]]"


@dataclass(slots=True)
class EventReading:
    """What one reading knows and has not yet handed out."""

    offset: int = 0
    searched: int = 0
    damage: int = -1
    """The last offset where no record began; it has been noted."""
    seq: int = 0
    n_records: int = 0
    n_bad: int = 0
    is_begun: bool = False
    is_sweep: bool = False
    is_restarted: bool = False
    begins: tuple[int, int] = (0, 0)
    """Length and checksum of the first bytes of the file as it was read before."""
    head: bytes | None = None
    """The first bytes of the file as it is, once they have been compared."""
    plugins: dict[str, str] = field(default_factory=dict)
    untold: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Kind of damage: how often, and the first offset."""
    columns: dict[str, _Columns] = field(default_factory=dict)
    facts: list[Fact] = field(default_factory=list)
    cost: int = 0
    """Of what was gathered since the last cursor: how much work and memory it took."""

    @classmethod
    def resumed(cls, cursor: Mapping[str, JsonValue] | None) -> EventReading:
        """Where an earlier reading ended; from the start where the cursor says nothing."""
        state = cursor or {}

        def number(name: str) -> int:
            value = state.get(name)
            return value if isinstance(value, int) and value >= 0 else 0

        reading = cls(
            offset=number("offset"),
            searched=number("searched"),
            damage=number("offset") if number("searched") else -1,
            seq=number("seq"),
            n_records=number("n_records"),
            n_bad=number("n_bad"),
            is_begun=bool(number("is_begun")),
            is_sweep=bool(number("is_sweep")),
            begins=(number("head_bytes"), number("head_crc")),
        )
        plugins, untold = state.get("plugins"), state.get("untold")
        if isinstance(plugins, Mapping):
            reading.plugins.update((tag, plugin) for tag, plugin in plugins.items() if isinstance(plugin, str))
        if isinstance(untold, Mapping):
            for kind, said in untold.items():
                match said:
                    case [int(n), int(first)] if kind in _SAID:
                        reading.untold[kind] = (n, first)
        return reading

    def restart(self) -> None:
        """Forget all that was known: another file has taken the place of the one read before."""
        self.offset = self.searched = self.seq = self.n_records = self.n_bad = 0
        self.damage = -1
        self.is_begun = self.is_sweep = False
        self.is_restarted = True
        self.plugins.clear()
        self.untold.clear()

    def begins_as_before(self, head: bytes) -> bool:
        """Whether a file that begins with `head` can be the one that was read before."""
        n_bytes = self.begins[0]
        return (len(head[:n_bytes]), crc32c(head[:n_bytes])) == self.begins

    def cursor(self, status: ReadStatus) -> Cursor:
        """The place reached. A file of which something was left out stays damaged."""
        if self.head is not None:
            known = self.head[: self.offset]
            self.begins = (len(known), crc32c(known))
        state: dict[str, JsonValue] = {
            "offset": self.offset,
            "searched": self.searched if self.damage == self.offset else 0,
            "seq": self.seq,
            "n_records": self.n_records,
            "n_bad": self.n_bad,
            "is_begun": self.is_begun,
            "is_sweep": self.is_sweep,
            "head_bytes": self.begins[0],
            "head_crc": self.begins[1],
            "plugins": dict(self.plugins),
            "untold": {kind: list(said) for kind, said in self.untold.items()},
        }
        if self.is_restarted:
            state["restarted"] = True
        if self.n_bad and status in (ReadStatus.EOF, ReadStatus.TRUNCATED):
            status = ReadStatus.DAMAGED
        return Cursor(state, status, self.n_records, self.n_bad)

    def flush(self) -> Iterator[Fact]:
        """Hand out what was gathered, and forget it."""
        import numpy as np

        columns, facts = self.columns, self.facts
        self.columns, self.facts, self.cost = {}, [], 0
        for metric, (steps, walls, values, seqs) in columns.items():
            yield Points(
                metric,
                np.frombuffer(steps, dtype=np.int64),
                np.frombuffer(walls, dtype=np.float64),
                np.frombuffer(values, dtype=np.float64),
                np.frombuffer(seqs, dtype=np.int64),
            )
        yield from facts

    def told(self, path: str) -> Iterator[Problem]:
        """Tell the damage met, one Problem a kind, and forget it."""
        untold, self.untold = self.untold, {}
        for kind, (n, first) in untold.items():
            one, several, hint = _SAID[kind]
            yield Problem(path, one if n == 1 else several.format(n=n), f"offset {first}", hint)

    def note(self, kind: str, offset: int) -> None:
        n, first = self.untold.get(kind, (0, offset))
        self.untold[kind] = (n + 1, first)

    def leave_out(self, kind: str, offset: int) -> None:
        self.note(kind, offset)
        self.n_bad += 1

    def add_points(self, metrics: tuple[str, ...], step: int, wall_s: float, values: tuple[float, ...]) -> None:
        """Gather the points of one event, in its order."""
        self.cost += len(metrics)
        for metric, value in zip(metrics, values, strict=True):
            columns = self.columns.get(metric)
            if columns is None:
                columns = self.columns[metric] = (array("q"), array("d"), array("d"), array("q"))
            steps, walls, numbers, seqs = columns
            steps.append(step)
            walls.append(wall_s)
            numbers.append(value)
            seqs.append(self.seq)
            self.seq += 1
