"""The short way to scalars: most payloads differ from one seen before in wall time, step and values only.

Five times as fast as walking the message. Exact, since the other bytes are compared, all of them.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TypeAlias

from mlbench.wire.events import SCALAR, Event
from mlbench.wire.protobuf import signed

MAX_TEMPLATES = 65_536
_MAX_TEMPLATE_BYTES = 4096
_MAX_LAYOUTS = 8
"""Layouts tried for one length; more are not learned."""
_MIN_PAYLOAD_BYTES = 21
"""Wall time (9), a step of ten bytes and its key (11), and something: no check for the end is needed."""

_WALL = struct.Struct("<d")
_WALL_KEY, _STEP_KEY = 0x09, 0x10

Scalars: TypeAlias = tuple[tuple[str, ...], int, float, tuple[float, ...]]
"""Tags, step, wall time in Unix seconds, values: one tag and one value at least."""


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where the values lie in what stands behind the step."""

    places: tuple[int, ...]
    constants: struct.Struct
    """Takes the bytes between the values."""
    values: struct.Struct
    tags: dict[tuple[bytes, ...], tuple[str, ...]] = field(default_factory=dict)
    """The tags for each text between the values."""


class Templates:
    """The payloads of scalars met so far, with the bytes of wall time, step and values taken out."""

    __slots__ = ("_by_length", "_n")

    def __init__(self) -> None:
        # By length behind the step.
        self._by_length: dict[int, tuple[_Layout, ...]] = {}
        self._n = 0

    def match(self, payload: bytes) -> Scalars | None:
        """The scalars in this payload, None if nothing like it was learned."""
        if len(payload) < _MIN_PAYLOAD_BYTES or payload[0] != _WALL_KEY:
            return None
        if payload[9] != _STEP_KEY:
            step, at = 0, 9
        elif payload[10] < 0x80:
            step, at = payload[10], 11
        elif payload[11] < 0x80:
            step, at = payload[10] & 0x7F | payload[11] << 7, 12
        else:
            step, at = _long_step(payload)
        rest = payload[at:]
        for layout in self._by_length.get(len(rest), ()):
            tags = layout.tags.get(layout.constants.unpack(rest))
            if tags is not None:
                return tags, step, _WALL.unpack_from(payload, 1)[0], layout.values.unpack(rest)
        return None

    def learn(self, payload: bytes, event: Event) -> None:
        """Remember the payload if it is scalars alone, behind wall time and step."""
        rest = payload[event.summary_at :]
        is_plain = event.summary_at >= 0 and len(payload) >= _MIN_PAYLOAD_BYTES and len(rest) <= _MAX_TEMPLATE_BYTES
        if not is_plain or not event.values:
            return
        if any(value.kind != SCALAR or value.number_at < 0 or value.is_tag_damaged for value in event.values):
            return
        if self._n == MAX_TEMPLATES:
            self.forget()
        places = tuple(value.number_at - event.summary_at for value in event.values)
        layout = self._layout(len(rest), places)
        if layout is not None:
            layout.tags[layout.constants.unpack(rest)] = tuple(value.tag for value in event.values)
            self._n += 1

    def _layout(self, length: int, places: tuple[int, ...]) -> _Layout | None:
        layouts = self._by_length.get(length, ())
        for layout in layouts:
            if layout.places == places:
                return layout
        if len(layouts) == _MAX_LAYOUTS:
            return None
        edges = [-4, *places, length]
        gaps = [following - place - 4 for place, following in pairwise(edges)]
        constants = struct.Struct("<" + "4x".join(f"{gap}s" for gap in gaps))
        values = struct.Struct("<" + "f".join(f"{gap}x" for gap in gaps))
        layout = _Layout(places, constants, values)
        self._by_length[length] = (*layouts, layout)
        return layout

    def forget(self) -> None:
        """Start anew: what a tag means has changed."""
        self._by_length.clear()
        self._n = 0


def _long_step(payload: bytes) -> tuple[int, int]:
    """The step behind the wall time, and where the summary begins."""
    step = shift = 0
    for at in range(10, _MIN_PAYLOAD_BYTES - 1):
        step |= (payload[at] & 0x7F) << shift
        if payload[at] < 0x80:
            return signed(step & 0xFFFFFFFFFFFFFFFF), at + 1
        shift += 7
    # The number does not end: this is no event, and nothing like it was learned.
    return 0, len(payload)
