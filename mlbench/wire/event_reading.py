"""The state of reading one event file: what is handed out next, and the cursor to go on from.

The cursor's state is described in `mlbench.adapters.tensorboard`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from typing import TYPE_CHECKING

from mlbench.dataclass import dataclass
from mlbench.model import Cursor, Fact, JsonValue, Problem, ReadStatus
from mlbench.wire.crc32c import crc32c
from mlbench.wire.point_tables import Row, point_table

if TYPE_CHECKING:
    from mlbench.wire.blocks import Lines, Scalars

# Kind of damage: what is said of one and of several, and what to do.
_SAID = {
    "payload": (
        "1 record has a bad checksum and was left out",
        "{n} records have a bad checksum and were left out",
        "The file was damaged after it was written: compare it with another copy",
    ),
    "unfinished": (
        "1 record was begun and not finished, and was left out; another one begins within it",
        "{n} records were begun and not finished, and were left out; others begin within them",
        "A writer was stopped there, and another one went on in the same file: what follows was read",
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

_MOST_DOUBTFUL = 8
"""Records that are remembered as such, the last ones: a writer is seldom stopped so often."""
_POINTS_PER_COST = 16
"""Points of a block that cost as much as one event that was decoded."""


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
    ends: tuple[int, int] = (0, 0)
    """Length and checksum of the last bytes before `offset` as they were read before."""
    tail: bytes = b""
    """Those bytes as they are, when all has been read."""
    plugins: dict[str, str] = field(default_factory=dict)
    doubtful: list[tuple[int, int]] = field(default_factory=list)
    """Begin and end of the last records that were taken for unfinished, and may have been being written."""
    untold: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Kind of damage: how often, and the first offset."""
    tags: Sequence[str] = ()
    """Names of the tags that `scalars` has numbers of."""
    scalars: list[Scalars | Lines] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
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
            ends=(number("tail_bytes"), number("tail_crc")),
        )
        plugins, untold, doubtful = (state.get(name) for name in ("plugins", "untold", "doubtful"))
        if isinstance(doubtful, Sequence):
            for place in doubtful:
                match place:
                    case [int(offset), int(end)] if 0 <= offset < end:
                        reading.doubt(offset, end)
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
        self.doubtful.clear()
        self.untold.clear()

    def begins_as_before(self, head: bytes) -> bool:
        """Whether a file that begins with `head` can be the one that was read before."""
        n_bytes = self.begins[0]
        return (len(head[:n_bytes]), crc32c(head[:n_bytes])) == self.begins

    def goes_on_as_before(self, tail: bytes) -> bool:
        """The same of a file that has `tail` before the place where the reading goes on."""
        return (len(tail), crc32c(tail)) == self.ends

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
            "tail_bytes": len(self.tail),
            "tail_crc": crc32c(self.tail),
            "plugins": dict(self.plugins),
            "untold": {kind: list(said) for kind, said in self.untold.items()},
        }
        if self.doubtful:
            state["doubtful"] = [list(place) for place in self.doubtful]
        if self.is_restarted:
            state["restarted"] = True
        if self.n_bad and status in (ReadStatus.EOF, ReadStatus.TRUNCATED):
            status = ReadStatus.DAMAGED
        return Cursor(state, status, self.n_records, self.n_bad)

    def flush(self) -> Iterator[Fact]:
        """Hand out what was gathered, and forget it."""
        scalars, rows, facts = self.scalars, self.rows, self.facts
        self.scalars, self.rows, self.facts, self.cost = [], [], [], 0
        if scalars or rows:
            yield point_table(scalars, rows, self.tags)
        yield from facts

    def told(self, path: str) -> Iterator[Problem]:
        """Tell the damage met, one Problem a kind, and forget it."""
        untold, self.untold = self.untold, {}
        for kind, (n, first) in untold.items():
            one, several, hint = _SAID[kind]
            yield Problem(path, one if n == 1 else several.format(n=n), f"offset {first}", hint)

    def count(self, n_records: int, end: int) -> None:
        """So many records more were read, up to this offset."""
        self.n_records += n_records
        self.offset = end

    def note(self, kind: str, offset: int) -> None:
        n, first = self.untold.get(kind, (0, offset))
        self.untold[kind] = (n + 1, first)

    def leave_out(self, kind: str, offset: int) -> None:
        self.note(kind, offset)
        self.n_bad += 1

    def doubt(self, offset: int, end: int) -> None:
        """A record that was left out may be finished by the time when the file reaches `end`."""
        self.doubtful = [*self.doubtful, (offset, end)][-_MOST_DOUBTFUL:]

    def add_points(self, metrics: tuple[str, ...], step: int, wall_s: float, values: tuple[float, ...]) -> None:
        """Gather the points of one event, in its order."""
        self.cost += len(metrics)
        for metric, value in zip(metrics, values, strict=True):
            self.rows.append((metric, step, wall_s, value, self.seq))
            self.seq += 1

    def add_scalars(self, scalars: Scalars | Lines) -> None:
        """Gather many points; their sequence numbers are told by the caller."""
        self.cost += 1 + scalars.n_points // _POINTS_PER_COST
        self.scalars.append(scalars)
