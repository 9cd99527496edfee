"""Confusion matrices and histograms of the compared runs: asked for where the comparison shows them, not before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlbench.errors import MlbenchError
    from mlbench.queries.answers import ProblemLine
    from mlbench.render.matrices import Aligned
    from mlbench.tui.desk import Desk

MATRICES, HISTOGRAMS = "matrices", "histograms"
"""The looks of the comparison in which they are shown."""
KINDS = {MATRICES: "confusion", HISTOGRAMS: "histogram"}
"""What each shows, as a kind of `model.Blob`."""
MOST_RUNS = 24
"""As many as stand side by side in the comparison."""


@dataclass(frozen=True, slots=True, eq=False)
class LoggedFound:
    """What was found of one kind in some runs."""

    names: Mapping[str, int]
    """Under which names, and how many runs have it; most runs first."""
    metric: str = ""
    """The name of what was read; '' where nothing was logged."""
    items: Sequence[Any] = ()
    """A `MatrixAnswer` or a `RunHistory` for each run that has it, in the order of the runs."""
    problems: tuple[ProblemLine, ...] = ()
    aligned: Aligned | None = None
    """The matrices over the classes of all of them."""
    n_left_out: int = 0
    """Runs that are not shown, since theirs are too large."""


class LoggedLook:
    """Asks for what one look of the comparison shows, and draws the comparison when it comes."""

    def __init__(self, desk: Desk, look: str) -> None:
        self._desk = desk
        self.look = look
        self.run_ids: tuple[str, ...] = ()
        self.found: LoggedFound | None = None
        """None until it is there."""
        self.error = ""
        """Why it is not."""
        self.metric = ""
        """The name that was chosen, '' for the one that most runs have."""
        self.step: int | None = None
        """The step that is looked at; None is the last one, also when others come."""
        self._is_stale = False

    @property
    def is_open(self) -> bool:
        """Whether the comparison shows it."""
        return self._desk.view.compare_look == self.look

    @property
    def names(self) -> Mapping[str, int]:
        """What can be chosen, and how many runs have it."""
        return self.found.names if self.found is not None else {}

    @property
    def steps(self) -> tuple[int, ...]:
        """The steps that can be gone through."""
        if self.look != HISTOGRAMS or self.found is None:
            return ()
        from mlbench.render.histories_beside import steps_of

        return steps_of(self.found.items)

    def forget(self) -> None:
        """There may be more of them by now: they are asked for anew where they are shown; until then these stay."""
        self._is_stale = True

    def follow(self) -> None:
        """Ask, where it is shown and the runs are others than before or there may be more of them.

        What is on the screen stays there until the answer comes, as long as it is about the same runs.
        """
        ids = self._desk.compared()[:MOST_RUNS]
        if not self.is_open or (ids == self.run_ids and not self._is_stale):
            return
        if ids != self.run_ids:
            self.found = None
        self.run_ids, self._is_stale = ids, False
        self._ask()

    def _ask(self) -> None:
        details, ids, look, metric = self._desk.session.details, self.run_ids, self.look, self.metric
        self._desk.asker.ask(
            look, lambda: details.logged(ids, KINDS[look], metric), self._take, lane="detail", subject=(ids, metric),
            otherwise=self._failed,
        )  # fmt: skip

    def _take(self, found: LoggedFound) -> None:
        self.found, self.error = found, ""
        self._desk.panes.draw_compare(self._desk)

    def _failed(self, error: MlbenchError) -> None:
        self.error = str(error)
        self._desk.panes.draw_compare(self._desk)
        self._desk.complain(error)

    def choose(self, metric: str) -> None:
        """Show another name, histograms at their last step."""
        if metric in self.names:
            self.metric, self.step = metric, None
            self._ask()

    def move(self, n: int) -> None:
        """Go so many steps on."""
        steps = self.steps
        if steps:
            place = steps.index(self.step) if self.step in steps else len(steps) - 1
            place = min(max(place + n, 0), len(steps) - 1)
            self.step = None if place == len(steps) - 1 else steps[place]
            self._desk.panes.draw_compare(self._desk)


def ask_looks(desk: Desk) -> None:
    """Ask for what the comparison shows in the place of the tables, if it does and something may be new."""
    desk.judge.follow()
    desk.gallery.follow()
    for look in desk.logged.values():
        look.follow()


def forget_looks(desk: Desk) -> None:
    """There may be other points, and other things that were logged, by now."""
    desk.judge.forget()
    desk.gallery.forget()
    for look in desk.logged.values():
        look.forget()


def choices_of(desk: Desk) -> tuple[str, Mapping[str, int]]:
    """The look that the comparison has, and what can be chosen in it: names, and how many runs have each."""
    look = desk.view.compare_look
    if desk.gallery.is_open:
        return look, {name: len(runs) for name, runs in (desk.gallery.hung.places or {}).items()}
    return look, desk.logged[look].names if look in desk.logged else {}


def with_step(look: LoggedLook) -> tuple[int, int]:
    """The step that is looked at, and its place from 1 on; (0, 0) where there are none."""
    steps = look.steps
    if not steps:
        return 0, 0
    step = look.step if look.step in steps else steps[-1]
    return step, steps.index(step) + 1
