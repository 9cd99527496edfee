"""Pictures that the compared runs logged, beside each other: which there are, which is shown, and at which step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from mlbench.errors import MlbenchError
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
    step: int | None = None
    """None before any was shown."""
    contents: Mapping[Key, object] = field(default_factory=dict)
    """What was read so far: pixels, or a ProblemLine."""
    failure: str = ""
    """Why it is not known which pictures there are."""

    @property
    def steps(self) -> tuple[int, ...]:
        """The steps at which any of the runs logged the picture that is shown."""
        by_run = (self.places or {}).get(self.metric, {})
        return tuple(sorted({place.step for places in by_run.values() for place in places}))

    @property
    def place_of_step(self) -> int:
        """Which of the steps is shown, the first is 0."""
        return self.steps.index(self.step) if self.step in self.steps else max(len(self.steps) - 1, 0)

    def place_of(self, run_id: str) -> BlobPlace | None:
        """The newest picture of a run at the step or before it; None where it has none yet."""
        step, places = self.step, (self.places or {}).get(self.metric, {}).get(run_id, ())
        return next((place for place in reversed(places) if step is not None and place.step <= step), None)


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
        self._is_stale = False

    @property
    def is_open(self) -> bool:
        """Whether the comparison shows pictures."""
        return self._desk.view.compare_look == LOOK

    def forget(self) -> None:
        """There may be other pictures by now: they are asked for anew where they are shown; until then these stay."""
        self._is_stale = True

    def follow(self) -> None:
        """Ask which pictures the compared runs have, where they are shown and others may be known than before."""
        desk = self._desk
        ids = desk.compared()[:MOST_RUNS]
        if not self.is_open or (ids == self.hung.run_ids and not self._is_stale):
            return
        self._is_stale = False
        if ids != self.hung.run_ids or self.hung.failure:
            self.hung = replace(self.hung, run_ids=ids, places=None, failure="")
        details = desk.session.details
        desk.asker.ask(
            "gallery", lambda: by_name(details.pictures(ids)), self._take, lane="detail", subject=ids,
            otherwise=self._fail,
        )  # fmt: skip

    def _fail(self, error: MlbenchError) -> None:
        """Say why nothing is shown; they are asked for again at the next occasion."""
        self.hung = replace(self.hung, failure=str(error))
        self._is_stale = True
        self._desk.panes.draw_compare(self._desk)

    def _take(self, places: Mapping[str, Mapping[str, tuple[BlobPlace, ...]]]) -> None:
        """The picture and the step that were shown before stay, where there are such; after the last one comes the
        last one of now.
        """
        was_last = self.hung.step == max(self.hung.steps, default=None)
        hung = replace(self.hung, places=places, failure="")
        metric = hung.metric if hung.metric in places else next(iter(places), "")
        self.hung = replace(hung, metric=metric)
        stays = hung.step in self.hung.steps and not was_last
        self._show(hung.step if stays else max(self.hung.steps, default=None))

    def choose(self, metric: str) -> None:
        """Show another picture, at its last step."""
        if metric in (self.hung.places or {}):
            self.hung = replace(self.hung, metric=metric)
            self._show(max(self.hung.steps, default=None))

    def move(self, n: int) -> None:
        """Go so many steps on."""
        steps = self.hung.steps
        if steps:
            place = self.hung.place_of_step
            self._show(steps[min(max(place + n, 0), len(steps) - 1)])

    def _show(self, step: int | None) -> None:
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
