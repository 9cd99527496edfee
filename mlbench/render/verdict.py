"""What may honestly be said about which run is best."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from mlbench.dataclass import dataclass
from mlbench.queries.folding import alike_in, is_place, is_seed, telling_places
from mlbench.render.inside import short_hashes
from mlbench.render.labels import run_labels
from mlbench.render.numbers import delta, distinct, number
from mlbench.render.versus import times
from mlbench.safe import markdown_code

if TYPE_CHECKING:
    from mlbench.queries.answers import DiffAnswer, MetricRow, RunsAnswer
    from mlbench.queries.settings_versus import SettingsVersus
    from mlbench.queries.significance import Contrast

INTERVAL = 0.95
MOST_ALONG = 4
"""Parameters that are named of a setting where fewer tell it apart."""


@dataclass(frozen=True, slots=True)
class Group:
    """Runs that differ in nothing but seeds (and names): repetitions of one setting."""

    members: tuple[int, ...]
    """Places of the runs in the answer."""
    setting: tuple[tuple[str, str | None], ...]
    """The differing parameters, with the raw text they have here."""
    values: tuple[float, ...]
    """The primary metric of the members that have a finite one."""
    n_telling: int = 0
    """So many of `setting`, from the first, tell the settings apart; the rest changes along with them."""

    @property
    def mean(self) -> float:
        return math.fsum(self.values) / len(self.values)

    @property
    def reach(self) -> float | None:
        """Half of the 95 % interval of the mean (Student's t); None for fewer than two runs."""
        n = len(self.values)
        if n < 2:
            return None
        from scipy.special import stdtrit

        variance = math.fsum((value - self.mean) ** 2 for value in self.values) / (n - 1)
        return float(stdtrit(n - 1, 0.5 + INTERVAL / 2)) * math.sqrt(variance / n)


def primary_metric(runs: RunsAnswer, diff: DiffAnswer) -> MetricRow | None:
    """The metric that decides: one whose goal the user set, else the first shown column with a goal, else any."""
    goals = [row for row in diff.metrics if row.goal and any(value is not None for value in values_of(row))]
    chosen = [row for row in goals if row.goal_how == "set"]
    specs = [column.spec for column in runs.columns if column.kind == "metric"]
    shown = [row for spec in specs for row in goals if _names(spec, row.metric)]
    return next(iter((*chosen, *shown, *goals)), None)


def _names(spec: str, metric: str) -> bool:
    """Whether a column specification is about a metric: `metrics.val/loss`, `min(metrics.val/loss) as best`."""
    bare = spec.partition(" as ")[0].partition(" at ")[0]
    bare = bare.partition("(")[2].rstrip(")") if "(" in bare else bare
    return bare.removeprefix("metrics.").strip('`"') == metric


def values_of(row: MetricRow) -> tuple[float | None, ...]:
    """What counts of each run: its best finite value; None where it has none."""
    return tuple(cell.best if cell.best is not None and math.isfinite(cell.best) else None for cell in row.cells)


def groups_of(diff: DiffAnswer, row: MetricRow) -> tuple[Group, ...]:
    """The runs by setting, in the order of their first members; a group may have no values.

    As `queries.folding` has it: another commit or other data is another setting.
    """
    names, found = alike_in(diff)
    telling = telling_places(list(found), [range(len(names))])
    order = [*telling, *(place for place in range(len(names)) if place not in telling)]
    values = values_of(row)
    return tuple(
        Group(
            tuple(members),
            tuple((names[place], raws[place]) for place in order),
            tuple(value for value in (values[index] for index in members) if value is not None),
            len(telling),
        )
        for raws, members in found.items()
    )


def verdict(runs: RunsAnswer, diff: DiffAnswer, real: SettingsVersus | None = None) -> str:
    """A few sentences of Markdown: which run has the best primary metric, by how much, and how sure that is.

    Args:
        runs: those that are shown.
        diff: their comparison.
        real: tests of settings, which say the same as these sentences: also in pairs of equal seeds.
    """
    if len(diff.runs) < 2:
        return "There is one run, so there is nothing to compare it with." if diff.runs else "No run matches."
    row = primary_metric(runs, diff)
    if row is None:
        return (
            f"{len(diff.runs)} runs. No metric that they have says whether small or great is good, so none of them is "
            "called best. Say it with `mlbench metric NAME --goal min` (or `max`)."
        )
    groups = groups_of(diff, row)
    sentences = [_repetitions(diff, row, groups[0])] if len(groups) == 1 else _comparison(diff, row, groups, real)
    return " ".join([*sentences, *_caveats(diff, row)])


def _comparison(diff: DiffAnswer, row: MetricRow, groups: Sequence[Group], real: SettingsVersus | None) -> list[str]:
    if all(len(group.members) == 1 for group in groups):
        return [_best_run(diff, row), "There is one run of each setting, so nothing can be said about noise."]
    valued = [group for group in groups if group.values]
    if len(valued) == 1:
        setting, metric = setting_text(valued[0]), markdown_code(row.metric)
        return [f"Of {len(groups)} settings only {setting} has a finite {metric}: {_interval(valued[0])}."]
    return [_best_group(diff, row, valued, real)]


def _caveats(diff: DiffAnswer, row: MetricRow) -> list[str]:
    """What else may be the reason, and what was left out of the judgement."""
    sentences: list[str] = []
    n_missing = sum(value is None for value in values_of(row))
    if n_missing:
        have = "has" if n_missing == 1 else "have"
        sentences.append(f"{n_missing} of {len(diff.runs)} runs {have} no finite {markdown_code(row.metric)}.")
    others = _others(diff)
    if others:
        sentences.append(f"The runs also differ in {' and '.join(others)} (see below).")
    return sentences


def _others(diff: DiffAnswer) -> list[str]:
    """What differs besides the parameters."""
    found = [name for name, rows in (("code", diff.code), ("data", diff.data)) if any(fact.differs for fact in rows)]
    return found if not diff.data_changes else list(dict.fromkeys([*found, "data"]))


def _lowest(row: MetricRow) -> str:
    how = ", as its name suggests" if row.goal_how == "guessed" else ""
    return f"{'lowest' if row.goal == 'min' else 'highest'} {markdown_code(row.metric)} ({row.goal} is best{how})"


def _best_run(diff: DiffAnswer, row: MetricRow) -> str:
    values = values_of(row)
    texts = distinct(values)
    known = [index for index, value in enumerate(values) if value is not None]
    ranked = sorted(known, key=lambda index: _rank(values[index], row.goal))
    labels = [markdown_code(label) for label in run_labels(diff.runs)]
    best = [index for index in ranked if values[index] == values[ranked[0]]]
    if len(best) > 1:
        names = ", ".join(labels[index] for index in best)
        return f"Of {len(diff.runs)} runs, {len(best)} share the {_lowest(row)}, {texts[best[0]]}: {names}."
    step = row.cells[best[0]].best_step
    at = "" if step is None else f" at step {step}"
    sentence = f"Of {len(diff.runs)} runs, {labels[best[0]]} has the {_lowest(row)}: {texts[best[0]]}{at}"
    other = ranked[1] if best[0] == 0 and len(ranked) > 1 else 0
    if other == best[0] or values[other] is None:
        return f"{sentence}."
    who = f"the next, {labels[other]}" if best[0] == 0 else f"the baseline, {labels[0]}"
    whose = " It is the baseline." if best[0] == 0 else ""
    return f"{sentence}, {_distance(values[best[0]], values[other])} than {who} ({texts[other]}).{whose}"


def _rank(value: float | None, goal: str) -> float:
    return (value or 0.0) if goal == "min" else -(value or 0.0)


def _distance(value: float | None, base: float | None) -> str:
    """`0.0403 (4.8 %) lower`."""
    difference = (value or 0.0) - (base or 0.0)
    share = f" ({number(abs(100 * difference / base), digits=2)} %)" if base else ""
    return f"{number(abs(difference), digits=3)}{share} {'lower' if difference < 0 else 'higher'}"


def _interval(group: Group) -> str:
    reach = group.reach
    if reach is None:
        return f"{number(group.mean)} (one run, so no interval)"
    return f"mean {number(group.mean)} ± {number(reach, digits=2)} (95 % interval, n = {len(group.values)})"


def setting_text(group: Group) -> str:
    """`lr = 0.1, width = 64`, as Markdown: all that tells the settings apart, and up to four of what changes along."""
    n_shown = max(group.n_telling, MOST_ALONG)
    shown = ", ".join(f"{markdown_code(key)} = {markdown_code('(absent)' if raw is None else short_hashes(raw))}"
                      for key, raw in group.setting[:n_shown])  # fmt: skip
    return shown + (", …" if len(group.setting) > n_shown else "")


def _repetitions(diff: DiffAnswer, row: MetricRow, group: Group) -> str:
    """All runs are repetitions: a best one would be the luckiest."""
    differing = [param.key for param in diff.params if param.differs]
    seeds = ", ".join(markdown_code(key) for key in differing if is_seed(key))
    names = ", ".join(markdown_code(key) for key in differing if is_place(key))
    but = [part for part in (seeds, f"names and places ({names})" if names else "") if part]
    what = f"differ in no parameter but {' and '.join(but)}" if but else "differ in no parameter"
    low, high = number(min(group.values)), number(max(group.values))
    spread = "" if len(group.values) < 2 else f", from {low} to {high}"
    return (
        f"The {len(diff.runs)} runs {what}: best {markdown_code(row.metric)} {_interval(group)}{spread}. "
        f"{'Beside the differences named below, what' if _others(diff) else 'What'} sets them apart is noise, "
        "so none of them is called best."
    )


def _best_group(diff: DiffAnswer, row: MetricRow, groups: Sequence[Group], real: SettingsVersus | None) -> str:
    """Compares the group of the best mean with the baseline's, or with the next where it is the baseline's."""
    ranked = sorted(groups, key=lambda group: _rank(group.mean, row.goal))
    best = ranked[0]
    base = next((group for group in groups if 0 in group.members and group is not best), ranked[1])
    who = "the baseline's setting" if 0 in base.members else f"the next setting ({setting_text(base)})"
    own = " It is the baseline's setting." if 0 in best.members else ""
    n_settings = len(groups_of(diff, row))
    sureness = _sureness(best, base, _tested(diff, row, best, base, real))
    return (
        f"{len(diff.runs)} runs of {n_settings} settings. The setting {setting_text(best)} has the {_lowest(row)}: "
        f"{_interval(best)}; {who} has {_interval(base)}. {sureness}{own}"
    )


def _tested(diff: DiffAnswer, row: MetricRow, best: Group, base: Group, real: SettingsVersus | None) -> Contrast | None:
    """The test of the one group against the other that is in a table already, the best one's side second."""
    ids = [{diff.runs[place].run_id for place in group.members} for group in (base, best)]
    for answer in real.answers if real is not None else ():
        sides = [{head.run_id for head in side} for side in (answer.a, answer.b)]
        found = next((one.contrast for one in answer.metrics if one.title == f"best {row.metric}"), None)
        if found is not None and sides in (ids, ids[::-1]):
            return found if sides == ids else _turned(found)
    return None


def _turned(found: Contrast) -> Contrast:
    """The first sample against the second. By chance it is as far ahead as the other is behind."""
    interval = found.interval
    turned = replace(interval, low=-interval.high, high=-interval.low) if interval is not None else None
    return replace(found, a=found.b, b=found.a, difference=-found.difference, interval=turned)


def _sureness(best: Group, base: Group, tested: Contrast | None) -> str:
    """The interval of the difference, and how often chance alone would do as much."""
    from mlbench.queries.significance import ALPHA, contrast, least_p, n_needed

    n_best, n_base = len(best.values), len(base.values)
    if min(n_best, n_base) < 2:
        return "With one run of a setting nothing can be said about noise."
    found = tested or contrast(base.values, best.values, has_bootstrap=False)
    n = f"{found.a.n} pairs of runs" if found.is_paired else f"{n_best} and {n_base} runs"
    interval = found.interval
    reach = f", 95 % interval {delta(interval.low, digits=3)} to {delta(interval.high, digits=3)}" if interval else ""
    text = f"The difference is {delta(found.difference, digits=3)}{reach}"
    if found.chance is None:
        return f"{text}."
    text += f"; by chance alone {n} would come out this far apart {times(found.chance)} in this direction. "
    if found.chance.p <= ALPHA:
        return f"{text}So it is more than chance (permutation test, p = {number(found.chance.p, digits=2)})."
    if least_p(found.a.n, found.b.n, is_paired=found.is_paired) <= ALPHA:
        return f"{text}These runs do not show that one is better."
    needed = n_needed(is_paired=found.is_paired)
    return (
        f"{text}With so few runs nothing can be shown: it takes {needed} {'pairs' if found.is_paired else 'of each'}."
    )
