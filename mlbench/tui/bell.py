"""The bell: rung by rule while trainings are followed, seldom, and never without saying why."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from mlbench.safe import safe
from mlbench.settings import BELL_RULES

if TYPE_CHECKING:
    from mlbench.queries.standing import Standing, Standings
    from mlbench.tui.desk import Desk

GAP_S = 10.0
"""Between two rings: what comes meanwhile is told with the next one."""
LOOK_S = 30.0
"""A run stalls without a sign: so often it is looked for where nothing has changed."""
MOST_TOLD = 2
MOST_WATCHED = 500
NAME_CELLS = 40


def reasons(before: Standings, now: Standings, rules: Sequence[str]) -> tuple[str, ...]:
    """What has come about between two looks that the bell is rung for, a sentence each, in the order of the rules."""
    old = {run.run_id: run for run in before.runs}
    told = []
    for rule in BELL_RULES:
        if rule in rules:
            told += [said for run in now.runs if (said := _TESTS[rule](old.get(run.run_id), run, before, now))]
    return tuple(told)


def _beats(old: Standing | None, run: Standing, before: Standings, now: Standings) -> str:
    is_other = (before.baseline, before.metric) != (now.baseline, now.metric)
    had = old is not None and _is_better(old.best, before)
    if run.run_id == now.baseline or is_other or had or not _is_better(run.best, now):
        return ""
    return f"{_name(run)} beats the baseline: {safe(now.metric)} {run.best:.4g}, not {now.baseline_best:.4g}"


def _is_better(best: float | None, than: Standings) -> bool:
    if best is None or than.baseline_best is None or not than.goal:
        return False
    return best < than.baseline_best if than.goal == "min" else best > than.baseline_best


def _goes_odd(old: Standing | None, run: Standing, _before: Standings, _now: Standings) -> str:
    new = [metric for metric in run.odd if old is None or metric not in old.odd]
    more = f" and {len(new) - 1} more" if len(new) > 1 else ""
    return f"{_name(run)}: {safe(new[0])}{more} is NaN or infinite" if new else ""


def _stalls(old: Standing | None, run: Standing, _before: Standings, _now: Standings) -> str:
    return f"{_name(run)} stalls" if run.status == "stalled" and old is not None and old.status == "running" else ""


def _name(run: Standing) -> str:
    name = safe(run.name)
    return name if len(name) <= NAME_CELLS else f"…{name[1 - NAME_CELLS :]}"


_TESTS: Mapping[str, Callable[[Standing | None, Standing, Standings, Standings], str]] = {
    "beats": _beats, "nan": _goes_odd, "stalls": _stalls,
}  # fmt: skip


class Bell:
    """Looks at the running runs after each look for news, and rings."""

    def __init__(self, desk: Desk, clock: Callable[[], float] = time.monotonic) -> None:
        self._desk = desk
        self._clock = clock
        self._seen: Standings | None = None
        self._looked_s = self._rung_s = -LOOK_S
        self._waiting: list[str] = []

    @property
    def rules(self) -> tuple[str, ...]:
        """Those of this scope, else those of the settings."""
        chosen = self._desk.view.bell
        return self._desk.settings.bell if chosen is None else chosen

    def look(self, *, has_changed: bool) -> None:
        """Ask how the running runs stand, where a rule asks for it and there may be something new."""
        if not self.rules:
            self._seen = None
            return
        if not has_changed and self._seen is not None and self._clock() - self._looked_s < LOOK_S:
            return
        self._looked_s = self._clock()
        desk, watched = self._desk, [run.run_id for run in self._seen.runs][:MOST_WATCHED] if self._seen else []
        metric = next(iter(desk.answers.names.metrics), "")
        desk.asker.ask("bell", lambda: desk.session.details.standings(metric, watched), self._take, lane="detail",
                       subject=(metric, watched))  # fmt: skip

    def _take(self, now: Standings) -> None:
        before, self._seen = self._seen, now
        if before is None:
            return
        self._waiting += [said for said in reasons(before, now, self.rules) if said not in self._waiting]
        if self._waiting:
            self._desk.host.later("bell", max(self._rung_s + GAP_S - self._clock(), 0.0), self._ring)

    def _ring(self) -> None:
        if not self._waiting:
            return
        self._rung_s = self._clock()
        told, n_more = "; ".join(self._waiting[:MOST_TOLD]), len(self._waiting) - MOST_TOLD
        self._waiting.clear()
        self._desk.host.bell()
        self._desk.say(f"{told}; {n_more} more" if n_more > 0 else told, "warning")
