"""The names that the runs in a scope have, read when first asked for: to resolve what was typed, and to suggest."""

from __future__ import annotations

from functools import cached_property
from typing import NamedTuple

from mlbench.queries.fragment import TRUE, Sql
from mlbench.queries.reading import Reader
from mlbench.wire.counting import so_many

_NAMES = {
    "metric": "SELECT DISTINCT t.metric FROM series t",
    "param": "SELECT DISTINCT t.key FROM param t",
    "tag": "SELECT DISTINCT t.tag FROM tags t",
    "data": "SELECT DISTINCT t.name FROM data_version t",
    "env": "SELECT DISTINCT t.key FROM environment t",
}
_N_RUNS = "SELECT count(*) FROM run"
_WIDE = frozenset({"metric", "param"})
"""Kinds whose names `wide_key` holds."""
PACKAGE = "package:"
"""What the keys of packages begin with in the table `environment`."""


class Place(NamedTuple):
    """A column of the wide pivot."""

    page: int
    slot: int


class Vocabulary:
    """Names by kind, for one reader and scope."""

    def __init__(self, reader: Reader, scope: Sql) -> None:
        self._reader = reader
        self._scope = scope
        self._known: dict[str, frozenset[str]] = {}

    def names(self, kind: str) -> frozenset[str]:
        """All names of a kind: metric, param, tag, data or env (packages without their prefix)."""
        if kind not in self._known:
            if kind in _WIDE and self.is_whole:
                self._known[kind] = frozenset(name for wide, name in self._places if wide == kind)
            else:
                self._known[kind] = frozenset(name.removeprefix(PACKAGE) for name in self._read(kind))
        return self._known[kind]

    def place(self, kind: str, name: str) -> Place | None:
        """Where a parameter's or metric's column is; None where it has none."""
        return self._places.get((kind, name))

    @cached_property
    def _places(self) -> dict[tuple[str, str], Place | None]:
        rows = self._reader.once("SELECT kind, name, page, slot FROM wide_key")
        return {(kind, name): None if page is None else Place(page, slot) for kind, name, page, slot in rows}

    @cached_property
    def n_runs(self) -> int:
        """Runs in the scope."""
        if self._scope is TRUE:
            return int(self._reader.once(_N_RUNS)[0][0])
        rows = self._reader.rows(f"{_N_RUNS} r WHERE {self._scope.text}", self._scope.parameters)
        return int(rows[0][0])

    @property
    def is_whole(self) -> bool:
        """The scope holds every run."""
        return self._scope is TRUE or self.n_runs == self._reader.once(_N_RUNS)[0][0]

    def _read(self, kind: str) -> list[str]:
        sql, parameters = _NAMES[kind], self._scope.parameters
        if self._scope is not TRUE:
            sql += f" JOIN run r ON r.run_id = t.run_id WHERE {self._scope.text}"
        return [name for (name,) in self._reader.rows(sql, parameters) if name is not None]


def runs_text(n_runs: int) -> str:
    """`1 run`, `1,240 runs`."""
    return counted(n_runs, "run")


def counted(n: int, noun: str, plural: str = "") -> str:
    """`1 file`, `1,240 files`; the plural where it is not the noun with an s."""
    return so_many(n, noun, plural or f"{noun}s")
