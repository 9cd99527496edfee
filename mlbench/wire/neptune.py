"""What Neptune's attributes mean, the same in an export and in the log of an offline run.

Everything of a run is an attribute with a path. `sys/...` says what the run is, `monitoring/...` is the console and the
machine, `source_code/...` the code; other single values are parameters. Steps are decimals with up to six places; the
catalog's are whole numbers, so a run whose steps have fractions is told in tenths, hundredths, ... of a step, and the
parameter `neptune.steps_per_unit` says how many make one.
Link: https://docs.neptune.ai/attribute_namespaces/
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from datetime import datetime

from mlbench.dataclass import dataclass
from mlbench.model import Fact, GitState, ImportedTag, JsonValue, Layer, Param, RunField
from mlbench.wire.jsonlog import as_number, as_text, utc_seconds

MICRO = 1_000_000
"""Steps are told in millionths until it is known how many places the run needs."""
MAX_STEP = (1 << 63) // MICRO - 1
_PARAM_SPACES = ("params/", "parameters/")
_NO_PARAMS = ("sys/", "monitoring/", "source_code/")
_FIELDS = {
    "sys/name": "name", "sys/description": "note", "sys/owner": "user", "sys/hostname": "host",
    "source_code/entrypoint": "entry_point", "sys/forking/parent": "parent",
}  # fmt: skip
_UNNAMED = ("sys/name", "Untitled")
_SETS = ("sys/tags", "sys/group_tags")


@dataclass(slots=True)
class Attributes:
    """The single values and sets of a run, by path; later words replace earlier ones."""

    values: dict[str, JsonValue] = field(default_factory=dict)
    sets: dict[str, list[str]] = field(default_factory=dict)

    def facts(self, *, is_over: bool) -> Iterator[Fact]:
        """The run's fields, tags, commit and parameters.

        Args:
            is_over: the run is known to have ended, so that one that did not fail has finished.
        """
        for path, name in _FIELDS.items():
            text = as_text(self.values.get(path))
            if text and (path, text) != _UNNAMED:
                yield RunField(name, text)
        yield from self._times()
        failed = self.values.get("sys/failed")
        if failed is True or (is_over and failed is False):
            yield RunField("status", "failed" if failed else "finished")
        for path in _SETS:
            for tag in self.sets.get(path, ()):
                yield ImportedTag(tag)
        if self.values.get("sys/trashed") is True:
            yield ImportedTag("neptune.trashed")
        commit = as_text(self.values.get("source_code/git")) or as_text(self.values.get("source_code/git/commit_id"))
        if re.fullmatch(r"[0-9a-fA-F]{7,64}", commit):
            yield GitState(commit.lower(), "recorded")
        for path, value in self.values.items():
            if not path.startswith(_NO_PARAMS):
                yield Param(_key(path), _raw(value), value, Layer.CONFIG)

    def _times(self) -> Iterator[RunField]:
        started_s = utc_seconds(self.values.get("sys/creation_time"))
        if started_s is None:
            return
        yield RunField("started", started_s)
        running_s = as_number(self.values.get("sys/running_time"))
        if running_s is not None and 0 <= running_s < 1e9:
            yield RunField("ended", started_s + running_s)


def _key(path: str) -> str:
    for space in _PARAM_SPACES:
        path = path.removeprefix(space)
    return path.replace("/", ".")


def _raw(value: JsonValue) -> str:
    return value if isinstance(value, str) else repr(value)


def iso_text(moment: datetime) -> str:
    """A time as the text that `Attributes` takes."""
    return moment.isoformat()


def places_needed(micro_steps: Sequence[int]) -> int:
    """How many places behind the point the steps have: 0 for whole ones, up to 6.

    Args:
        micro_steps: steps in millionths.
    """
    places = 0
    for step in micro_steps:
        while step % 10 ** (6 - places):
            places += 1
    return places


def scale_fact(places: int) -> Iterator[Param]:
    """What the steps are told in, where it is not whole ones."""
    if places:
        yield Param("neptune.steps_per_unit", str(10**places), 10**places, Layer.DERIVED)


def as_micro(step: JsonValue) -> int | None:
    """A step in millionths; None for what is none or too large."""
    number = as_number(step) if not isinstance(step, bool) else None
    if number is None or not -MAX_STEP < number < MAX_STEP:
        return None
    return step * MICRO if isinstance(step, int) else round(number * MICRO)


def as_flat_mapping(value: JsonValue) -> Mapping[str, JsonValue]:
    """The value if it is an object, else an empty one."""
    return value if isinstance(value, Mapping) else {}
