"""Cutting the runs to be read into parts, each the work of one task."""

from __future__ import annotations

import io
import pickle
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field
from enum import Enum
from typing import Any, TypeVar

from mlbench.dataclass import dataclass
from mlbench.ingest.plan import SourceKey, UnitPlan

T = TypeVar("T")

FIRST_TASK_BYTES = 1 << 20
TASK_BYTES = 12 << 20
"""A quarter of a million scalars: 30 MB while they are sorted and stored, of which a cache holds much."""
TASK_RUNS = 250


@dataclass(frozen=True, slots=True)
class Part:
    """Runs that are read together."""

    units: tuple[UnitPlan, ...]
    source_ids: Mapping[SourceKey, int]
    """Of all their sources."""
    shared: frozenset[SourceKey] = frozenset()
    """Sources that tell of other runs too, beside those that are inherited."""

    def opened(self) -> Part:
        """The part itself."""
        return self


@dataclass(frozen=True, slots=True)
class PackedPart:
    """The same as bytes that a process of this ingest has made: `pickled`, then compressed."""

    content: bytes
    n_bytes: int
    """Before it was compressed."""

    def opened(self) -> Part:
        """The part, in memory of its own."""
        import pyarrow as pa

        return unpickled(pa.decompress(self.content, self.n_bytes, codec=_CODEC, asbytes=True), Part)


_CODEC = "lz4"


def packed_part(content: bytes) -> PackedPart:
    """A part that another process has pickled, in a fifth of the memory."""
    import pyarrow as pa

    return PackedPart(pa.compress(content, codec=_CODEC, asbytes=True), len(content))


def pickled(made: object) -> bytes:
    """As bytes, for another process of the same ingest."""
    return pickle.dumps(made, pickle.HIGHEST_PROTOCOL)


def unpickled(content: bytes, kind: type[T]) -> T:
    """What another process of this ingest has pickled. It can name nothing but what an ingest is made of.

    Raises:
        NotOursError: it is something else.
    """
    try:
        made = _OwnUnpickler(io.BytesIO(content)).load()
    except (pickle.UnpicklingError, AttributeError, EOFError, ImportError, LookupError, TypeError, ValueError) as error:
        raise NotOursError(str(error)) from error
    if not isinstance(made, kind):
        raise NotOursError(f"{type(made).__name__} is no {kind.__name__}")
    return made


class NotOursError(Exception):
    """What was pickled holds objects that no ingest is made of: an adapter of another package has claimed by them."""


class _OwnUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:  # noqa: ANN401 - a class
        if (module, name) == ("builtins", "getattr"):
            return _member  # Python 3.11.2 pickles members of enumerations by their names
        if not module.startswith("mlbench."):
            raise pickle.UnpicklingError(f"{module}.{name} is no part of an ingest")
        return super().find_class(module, name)


def _member(kind: object, name: str) -> Enum:
    if not (isinstance(kind, type) and issubclass(kind, Enum)):
        raise pickle.UnpicklingError(f"{kind!r} is no enumeration")
    return kind[name]


@dataclass(slots=True)
class Slicer:
    """Cuts the runs to be read into tasks: small ones first, so that the first runs are soon on the screen."""

    limit_bytes: int = FIRST_TASK_BYTES
    _units: list[UnitPlan] = field(default_factory=list)
    _n_bytes: int = 0

    def slices(self, units: Iterable[UnitPlan]) -> Iterator[tuple[UnitPlan, ...]]:
        """The runs in their order, a task's worth at a time."""
        for unit in units:
            self._units.append(unit)
            self._n_bytes += unit.size_bytes
            if self._n_bytes >= self.limit_bytes or len(self._units) >= TASK_RUNS:
                yield self._cut()
                self.limit_bytes = min(2 * self.limit_bytes, TASK_BYTES)
        if self._units:
            yield self._cut()

    def _cut(self) -> tuple[UnitPlan, ...]:
        units, self._units, self._n_bytes = tuple(self._units), [], 0
        return units
