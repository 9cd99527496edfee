"""Pictures that the compared runs logged, beside each other: which there are, which is shown, and at which step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from mlbench.queries.blobs import BlobPlace
    from mlbench.tui.desk import Desk

Key: TypeAlias = "tuple[str, int, int]"
MOST_RUNS = 24
"""As many as stand side by side in the comparison."""
LOOK = "images"
"""The look of the comparison in which they are shown."""


@dataclass(frozen=True, slots=True, eq=False)
class Hung:
    """What is known of the pictures of some runs, and which of them are shown."""

    run_ids: tuple[str, ...] = ()
    places: Mapping[str, Mapping[str, tuple[BlobPlace, ...]]] | None = None
    """By name and run, in the order of steps; None until they were asked for."""
    metric: str = ""
    step: int = 0
    contents: Mapping[Key, object] = field(default_factory=dict)
    """What was read so far: pixels, or a ProblemLine."""

    @property
    def steps(self) -> tuple[int, ...]:
        """The steps at which any of the runs logged the picture that is shown."""
        by_run = (self.places or {}).get(self.metric, {})
        return tuple(sorted({place.step for places in by_run.values() for place in places}))

    def place_of(self, run_id: str) -> BlobPlace | None:
        """The newest picture of a run at the step or before it; None where it has none yet."""
        places = (self.places or {}).get(self.metric, {}).get(run_id, ())
        return next((place for place in reversed(places) if place.step <= self.step), None)


def key_of(place: BlobPlace) -> Key:
    """What tells the bytes of a picture from those of others."""
    return place.path, place.offset, place.seq


def by_name(places: Sequence[BlobPlace]) -> dict[str, dict[str, tuple[BlobPlace, ...]]]:
    """Places by name and run in the order of steps; of a step that was logged twice the later one."""
    found: dict[str, dict[str, dict[int, BlobPlace]]] = {}
    for place in places:
        found.setdefault(place.metric, {}).setdefault(place.head.run_id, {})[place.step] = place
    return {
        metric: {run_id: tuple(steps[step] for step in sorted(steps)) for run_id, steps in runs.items()}
        for metric, runs in sorted(found.items(), key=lambda item: (-len(item[1]), item[0]))
    }


class Gallery:
    """Asks for pictures where the comparison shows them, and draws it when they come."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.hung = Hung()

    @property
    def is_open(self) -> bool:
        """Whether the comparison shows pictures."""
        return self._desk.view.compare_look == LOOK

    def follow(self) -> None:
        """Ask which pictures the compared runs have, where they are shown and the runs are others than before."""
        desk = self._desk
        ids = desk.compared()[:MOST_RUNS]
        if not self.is_open or ids == self.hung.run_ids:
            return
        self.hung = replace(self.hung, run_ids=ids, places=None)
        details = desk.session.details
        desk.asker.ask("gallery", lambda: by_name(details.pictures(ids)), self._take, lane="detail")

    def _take(self, places: Mapping[str, Mapping[str, tuple[BlobPlace, ...]]]) -> None:
        """The picture and the step that were shown before stay, where there are such."""
        hung = replace(self.hung, places=places)
        metric = hung.metric if hung.metric in places else next(iter(places), "")
        self.hung = replace(hung, metric=metric)
        self._show(hung.step if hung.step in self.hung.steps else max(self.hung.steps, default=0))

    def choose(self, metric: str) -> None:
        """Show another picture, at its last step."""
        if metric in (self.hung.places or {}):
            self.hung = replace(self.hung, metric=metric)
            self._show(max(self.hung.steps, default=0))

    def move(self, n: int) -> None:
        """Go so many steps on."""
        steps = self.hung.steps
        if steps:
            place = steps.index(self.hung.step) if self.hung.step in steps else len(steps) - 1
            self._show(steps[min(max(place + n, 0), len(steps) - 1)])

    def _show(self, step: int) -> None:
        """Show a step; what is not read yet is asked for."""
        self.hung = replace(self.hung, step=step)
        self._desk.panes.draw_compare(self._desk)
        shown = [place for run_id in self.hung.run_ids if (place := self.hung.place_of(run_id)) is not None]
        missing = [place for place in shown if key_of(place) not in self.hung.contents]
        if not missing:
            return
        details = self._desk.session.details

        def read() -> dict[Key, object]:
            return {key_of(place): details.content(place) for place in missing}

        def take(found: Mapping[Key, object]) -> None:
            # Only what is shown is kept: a long training has more pictures than memory.
            kept = {key_of(place): self.hung.contents.get(key_of(place)) for place in shown}
            known = {key: content for key, content in kept.items() if content is not None}
            self.hung = replace(self.hung, contents={**known, **found})
            self._desk.panes.draw_compare(self._desk)

        self._desk.asker.ask("pictures", read, take, lane="detail")
