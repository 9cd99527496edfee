"""Looking behind the fact under the cursor of the run pane: what is fetched for it, which step, how near."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from mlbench.errors import MlbenchError, UsageError
from mlbench.tui.actions import RUN, RUNS, STAGE
from mlbench.tui.stage import MOST_ZOOM, Looked

if TYPE_CHECKING:
    from mlbench.queries.answers import SeriesAnswer, ShowAnswer
    from mlbench.queries.blobs import BlobPlace
    from mlbench.tui.desk import Desk

LOOK_DELAY_S = 0.06
"""The stage follows the cursor so much later: moving on costs nothing."""
PAN_SHARE = 0.25


class Inspector:
    """Holds what is looked at; asks for what it needs, and draws the stage when it comes."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.looked = Looked()
        self.run_id = ""
        self._steps: dict[tuple[str, str], int] = {}
        """The step that was chosen of each thing that was logged: it is kept from run to run."""
        self._steps_ahead = 0
        """Steps that were typed before it was known which there are."""

    # ------------------------------------------------------------ the run

    def ask_run(self) -> None:
        """Ask for all that is known of the run of the run pane."""
        desk, run_id = self._desk, self._desk.view.shown_run
        desk.asker.ask(
            "shown", lambda: desk.session.show(run_id), self._take_run, lane="detail", subject=run_id,
            otherwise=self._no_run,
        )  # fmt: skip

    def _take_run(self, shown: ShowAnswer) -> None:
        desk, before = self._desk, self._desk.answers.shown
        is_new = before is None or before.head.run_id != shown.head.run_id
        desk.answers.shown = shown
        desk.panes.draw_run(desk, is_new=is_new)
        self.follow_cursor() if is_new else self.refresh()
        desk.host.later("go on", 0.001, desk.waiting.go_on)

    def _no_run(self, error: MlbenchError) -> None:
        """A run that is gone, or was never seen, has no pane; one that is shown stays where it only cannot be read."""
        desk, shown = self._desk, self._desk.answers.shown
        is_seen = shown is not None and shown.head.run_id == desk.view.shown_run
        if not is_seen or isinstance(error, UsageError):
            pane = RUNS if desk.view.pane in (RUN, STAGE) else desk.view.pane
            desk.with_view(shown_run="", pane=pane, is_zoomed=desk.view.is_zoomed and pane == desk.view.pane)
        desk.complain(error)
        desk.host.later("go on", 0.001, desk.waiting.go_on)

    # ------------------------------------------------------------ the fact

    def follow_cursor(self) -> None:
        """Look at the fact under the cursor of the run pane, if it is another one."""
        desk = self._desk
        shown, key = desk.answers.shown, desk.panes.run.current_key
        if shown is None or (key == self.looked.key and shown.head.run_id == self.run_id):
            return
        self.looked, self.run_id = Looked(key=key), shown.head.run_id
        self._steps_ahead = 0
        for slot in ("inspect", "content"):
            desk.asker.forget(slot)  # what was asked for the fact before is no answer to this one
        self.draw(is_new=True)
        desk.host.later("inspect", LOOK_DELAY_S, self._ask)

    def refresh(self) -> None:
        """The run was read again: ask anew for what is looked at, and show the old until it comes."""
        self.draw()
        self._ask()

    def draw(self, *, is_new: bool = False) -> None:
        """Draw the stage."""
        self._desk.panes.draw_stage(self._desk, is_new=is_new)

    # ------------------------------------------------------------ questions

    def _ask(self) -> None:
        desk, run_id, details = self._desk, self.run_id, self._desk.session.details
        section, _colon, text = self.looked.key.partition(":")
        shown = desk.answers.shown
        if shown is None or shown.head.run_id != run_id or not text.isdigit():
            return
        place = int(text)
        metrics = shown.metrics if section == "metrics" else shown.metrics[:1] if section == "run" else ()
        if metrics:
            metric = metrics[min(place, len(metrics) - 1)].metric
            desk.asker.ask("inspect", lambda: details.curve(run_id, metric), self._take_curve, lane="detail",
                           subject=(run_id, metric))  # fmt: skip
        elif section == "blobs" and place < len(shown.blobs):
            blob = shown.blobs[place]
            desk.asker.ask(
                "inspect", lambda: details.places(run_id, blob.kind, blob.metric), self._take_places, lane="detail",
                subject=(run_id, blob.kind, blob.metric),
            )  # fmt: skip
        elif section == "code":
            desk.asker.ask("inspect", lambda: details.patch(run_id), self._take_patch, lane="detail")
        else:
            desk.asker.forget("inspect")

    def _take_curve(self, series: SeriesAnswer | None) -> None:
        self.looked = replace(self.looked, series=series)
        self.draw()

    def _take_patch(self, patch: tuple[str, str] | None) -> None:
        self.looked = replace(self.looked, patch=patch)
        self.draw()

    def _take_places(self, places: tuple[BlobPlace, ...]) -> None:
        if not places:
            return
        kept = self._steps.get((places[0].kind, places[0].metric))
        steps = [place.step for place in places]
        index = steps.index(kept) if kept in steps else len(places) - 1
        ahead, self._steps_ahead = self._steps_ahead, 0
        self._show_place(replace(self.looked, places=places), index)
        self.step(ahead)

    def _show_place(self, looked: Looked, index: int) -> None:
        """Show a step; the picture of the step before stays until this one is read."""
        self.looked = replace(looked, index=index)
        place = looked.places[index]
        self.draw()
        details = self._desk.session.details
        self._desk.asker.ask("content", lambda: details.content(place), self._take_content, lane="detail")

    def _take_content(self, content: object) -> None:
        self.looked = replace(self.looked, content=content)
        self.draw()

    # ------------------------------------------------------------ steps and zoom

    def step(self, n: int) -> bool:
        """Go so many steps on; whether there are steps at all."""
        looked = self.looked
        if not looked.places:
            self._steps_ahead += n
            return looked.key.startswith("blobs:")
        index = min(max(looked.index + n, 0), len(looked.places) - 1)
        if index != looked.index:
            place = looked.places[index]
            self._steps[place.kind, place.metric] = place.step
            self._show_place(looked, index)
        return True

    def zoom(self, factor: float) -> None:
        """Nearer or farther; all of it at least."""
        zoom = min(max(self.looked.zoom * factor, 1.0), MOST_ZOOM)
        middle = (0.5, 0.5) if zoom == 1 else (self.looked.x, self.looked.y)
        self.looked = replace(self.looked, zoom=zoom, x=middle[0], y=middle[1])
        self.draw()

    def zoom_all(self) -> None:
        """All of it."""
        self.zoom(0.0)

    def pan(self, across: int, down: int) -> None:
        """Move what is seen of a picture that is zoomed, by a quarter of it."""
        half = 0.5 / self.looked.zoom
        x = min(max(self.looked.x + across * PAN_SHARE / self.looked.zoom, half), 1 - half)
        y = min(max(self.looked.y + down * PAN_SHARE / self.looked.zoom, half), 1 - half)
        self.looked = replace(self.looked, x=x, y=y)
        self.draw()

    @property
    def is_image(self) -> bool:
        """Whether a picture is looked at."""
        return bool(self.looked.places) and self.looked.places[0].kind == "image"
