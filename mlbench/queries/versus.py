"""Two groups of runs against each other: is the difference more than chance, and what else differs between them."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from mlbench.errors import NoRunError, UsageError
from mlbench.queries.answers import RunHead, RunRow, Value
from mlbench.queries.chosen import differing_params, only_labels
from mlbench.queries.columns import metric_spec
from mlbench.queries.folding import is_place, is_seed, param_meanings, run_facts
from mlbench.queries.goals import goal_of, primary_metric, ranked_metrics
from mlbench.queries.mistakes import shown
from mlbench.queries.names import find_metrics, metrics_of
from mlbench.queries.reading import Reader
from mlbench.queries.runs import find_runs
from mlbench.queries.significance import ALPHA, Contrast, contrast, holm
from mlbench.queries.vocabulary import runs_text

PAIRINGS = ("auto", "paired", "unpaired")
COUNTS = ("best", "last")
Asked: TypeAlias = "tuple[str, str, str, str]"
"""Title, column specification, goal and how it is known."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One metric in both groups."""

    title: str
    """`best val/acc`."""
    spec: str
    """As a column."""
    goal: str
    """min, max or ''."""
    goal_how: str
    """`set`, `guessed` or ''."""
    a: tuple[float | None, ...]
    """For each run of the first group; None where it has no finite value."""
    b: tuple[float | None, ...]
    contrast: Contrast | None = None
    """None where a group has no finite value."""
    p_holm: float | None = None
    """Corrected over all metrics of the question."""

    @property
    def verdict(self) -> str:
        """`better`, `worse` or `different` (b against a) at 5 %; `not shown`; `unknown` where nothing can be said."""
        if self.contrast is None or self.p_holm is None:
            return "unknown"
        if self.p_holm > ALPHA:
            return "not shown"
        if not self.goal:
            return "different"
        return "better" if (self.contrast.difference < 0) == (self.goal == "min") else "worse"

    @property
    def improvement(self) -> float | None:
        """Probability that a run of b is better than a run of a; None without a goal."""
        if self.contrast is None or not self.goal:
            return None
        return self.contrast.exceeds if self.goal == "max" else 1 - self.contrast.exceeds


@dataclass(frozen=True, slots=True)
class Uneven:
    """Something that the groups do not have alike: perhaps the real reason of a difference."""

    name: str
    a: tuple[tuple[str, int], ...]
    """Texts and how many runs have them, the most frequent first; '' for missing."""
    b: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class VersusAnswer:
    """Group b against group a, the baseline."""

    where_a: str
    """The filter, or what the setting of the runs is called."""
    where_b: str
    a: tuple[RunHead, ...]
    b: tuple[RunHead, ...]
    """Of pairs in the order of their partners."""
    metrics: tuple[Measured, ...]
    is_paired: bool = False
    n_pairs: int = 0
    """Runs that have a partner: equal in all but what makes the groups."""
    pair_keys: tuple[str, ...] = ()
    """What partners share and other pairs do not: seeds, and whatever else varies inside the groups."""
    uneven: tuple[Uneven, ...] = ()
    mixed: tuple[str, ...] = ()
    """Settings that vary inside a group."""
    remarks: tuple[str, ...] = ()


def compare_groups(
    reader: Reader,
    where_a: str,
    where_b: str,
    *,
    metrics: Sequence[str] = (),
    within: Sequence[str] = (),
    counts: str = "best",
    pairing: str = "auto",
) -> VersusAnswer:
    """Compare the runs of two filters; a run that matches both counts for the first.

    Args:
        reader: the catalog.
        where_a: filter of the baseline.
        where_b: filter of what is compared with it.
        metrics: names, globs or column specifications; by default the primary metric.
        within: paths; only runs at or below one of them.
        counts: which value of a run counts for a metric with a goal, one of COUNTS.
        pairing: one of PAIRINGS. auto: in pairs where every run has a partner. paired: runs without one are left out.

    Raises:
        FilterError: a filter or a specification cannot be understood.
        UsageError: a filter matches nothing, no run has a metric, or there are no two pairs.
    """
    sides, remarks = _sides(reader, where_a, where_b, within)
    heads = ([row.head for row in sides[0]], [row.head for row in sides[1]])
    asked = asked_metrics(reader, metrics, [head.run_id for side in heads for head in side], counts)
    return contrast_runs(
        reader, (where_a, where_b), heads, asked, values_of=(where_a, where_b), within=within, pairing=pairing,
        remarks=remarks,
    )  # fmt: skip


def contrast_runs(
    reader: Reader, names: tuple[str, str], heads: tuple[Sequence[RunHead], Sequence[RunHead]],
    asked: Sequence[Asked], *, values_of: tuple[str, str], within: Sequence[str] = (), pairing: str = "auto",
    remarks: Sequence[str] = (), has_bootstrap: bool = True,
) -> VersusAnswer:  # fmt: skip
    """The second of two groups of runs against the first.

    Args:
        reader: the catalog.
        names: what the groups are called; a parameter that stands in one is not told as a further difference.
        heads: the runs.
        asked: the metrics.
        values_of: filters that the runs match.
        within: paths that the filters are asked of.
        pairing: one of PAIRINGS.
        remarks: what else is to be said.
        has_bootstrap: see `contrast`.

    Raises:
        UsageError: pairs are asked for, and there are no two.
    """
    ids = [[head.run_id for head in side] for side in heads]
    pairs, keys = _pairs(reader, *ids)
    is_paired = _is_paired(pairing, len(pairs), *map(len, ids))
    told = list(remarks)
    if is_paired:
        left_out = sum(map(len, ids)) - 2 * len(pairs)
        if left_out:
            told.append(f"{runs_text(left_out)} without a partner {'is' if left_out == 1 else 'are'} left out")
        ids = [list(side) for side in zip(*pairs, strict=True)]
    values = _values(reader, [spec for _title, spec, *_goal in asked], values_of, ids, within)
    rows = [
        _contrasted(
            Measured(*what, _column(values[0], place), _column(values[1], place)), is_paired=is_paired,
            has_bootstrap=has_bootstrap,
        )
        for place, what in enumerate(asked)
    ]  # fmt: skip
    known = {head.run_id: head for side in heads for head in side}
    uneven, mixed = _what_else(reader, ids[0], ids[1], " ".join(names))
    return VersusAnswer(
        where_a=names[0],
        where_b=names[1],
        a=tuple(known[run_id] for run_id in ids[0]),
        b=tuple(known[run_id] for run_id in ids[1]),
        metrics=corrected(rows),
        is_paired=is_paired,
        n_pairs=len(pairs),
        pair_keys=keys,
        uneven=uneven,
        mixed=mixed,
        remarks=tuple(told),
    )


def corrected(rows: Sequence[Measured]) -> tuple[Measured, ...]:
    """The rows with p values that are corrected over all of them (Holm)."""
    found = holm([row.contrast.p if row.contrast else None for row in rows])
    return tuple(replace(row, p_holm=p) for row, p in zip(rows, found, strict=True))


def _sides(
    reader: Reader, where_a: str, where_b: str, within: Sequence[str]
) -> tuple[list[Sequence[RunRow]], list[str]]:
    answers = [find_runs(reader, where=where, columns=None, within=within) for where in (where_a, where_b)]
    first = {row.head.run_id for row in answers[0].rows}
    second = [row for row in answers[1].rows if row.head.run_id not in first]
    n_both = len(answers[1].rows) - len(second)
    for where, rows, n in ((where_a, answers[0].rows, 0), (where_b, second, n_both)):
        if not rows:
            but = f" but the {n} that match the first filter, too" if n else ""
            raise NoRunError(f"no run matches {shown(where)}{but}. Try: mlbench query, to list them")
    remarks = list(dict.fromkeys(remark for answer in answers for remark in answer.remarks))
    if n_both:
        match, count = ("matches", "counts") if n_both == 1 else ("match", "count")
        remarks.append(f"{runs_text(n_both)} {match} both filters and {count} for the first")
    return [answers[0].rows, second], remarks


# ---------------------------------------------------------------- pairs


def _pairs(reader: Reader, a: Sequence[str], b: Sequence[str]) -> tuple[list[tuple[str, str]], tuple[str, ...]]:
    """Runs of both groups that are alike in all but what makes the groups, and the parameters that tell pairs apart."""
    found = differing_params(reader, [*a, *b])
    keys = [param.key for param in found if not is_place(param.key) and not only_labels(param)]
    _, meanings = param_meanings(reader, [*a, *b], keys)

    def of(run_id: str, names: Iterable[str]) -> tuple[object, ...]:
        return tuple(meanings.get(run_id, {}).get(name) for name in names)

    inner = [key for key in keys if any(len({of(run_id, [key]) for run_id in side}) > 1 for side in (a, b))]
    partners: dict[tuple[object, ...], tuple[list[str], list[str]]] = {}
    for place, side in enumerate((a, b)):
        for run_id in side:
            partners.setdefault(of(run_id, inner), ([], []))[place].append(run_id)
    pairs = [(of_a[0], of_b[0]) for of_a, of_b in partners.values() if len(of_a) == len(of_b) == 1]
    return pairs, tuple(inner)


def _is_paired(pairing: str, n_pairs: int, n_a: int, n_b: int) -> bool:
    if pairing == "paired" and n_pairs < 2:
        raise UsageError("there are no two pairs of runs with equal seeds and settings. Try: --pairing unpaired")
    return pairing == "paired" or (pairing == "auto" and n_pairs >= 2 and n_pairs == n_a == n_b)


# ---------------------------------------------------------------- values


def asked_metrics(reader: Reader, words: Sequence[str], ids: Sequence[str], counts: str) -> list[Asked]:
    """What words mean for some runs: metrics, globs or column specifications; the primary metric without any.

    Raises:
        UsageError: no run has a metric, or no metric is the primary one.
    """
    if not words:
        primary = primary_metric(reader, ids)
        if primary is None:
            raise UsageError("no metric says which run is best. Try: -m METRIC, or mlbench metric NAME --goal min")
        words = (metric_spec(primary[0]),)
    known = ranked_metrics(reader, ids)
    found: list[Asked] = []
    for word in words:
        # A name may hold what a column specification is known by: `metrics/mAP50(B)`.
        metrics = metrics_of(word, known)
        if not metrics and re.search(r"\(| at ", word):
            inner = re.search(r"(?:min|max)\((?:metrics\.)?([^)]*)\)$", word)
            goal = ("min" if "min(" in word else "max") if inner and word.startswith(("min(", "max(")) else ""
            found.append((word, word, goal, "set" if goal else ""))
            continue
        for metric in metrics or find_metrics(reader, [word], ids):
            goal, how = goal_of(reader, metric)
            if goal and counts == "best":
                found.append((f"best {metric}", f"{goal}({metric_spec(metric)})", goal, how))
            else:
                found.append((f"last {metric}", metric_spec(metric), goal, how))
    return list(dict.fromkeys(found))


def _values(
    reader: Reader, specs: Sequence[str], wheres: Sequence[str], ids: Sequence[Sequence[str]], within: Sequence[str]
) -> list[list[list[float | None]]]:
    """For each side, run and metric its finite value."""
    sides = []
    for where, side in zip(wheres, ids, strict=True):
        rows = {
            row.head.run_id: row.values for row in find_runs(reader, where=where, columns=specs, within=within).rows
        }
        sides.append([[_finite(value) for value in rows[run_id]] for run_id in side])
    return sides


def _column(rows: Sequence[Sequence[float | None]], place: int) -> tuple[float | None, ...]:
    return tuple(row[place] for row in rows)


def _finite(value: Value) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and math.isfinite(value) else None  # type: ignore[arg-type]


def _contrasted(row: Measured, *, is_paired: bool, has_bootstrap: bool) -> Measured:
    a, b = row.a, row.b
    if is_paired:
        whole = [(x, y) for x, y in zip(a, b, strict=True) if x is not None and y is not None]
        a, b = tuple(x for x, _ in whole), tuple(y for _, y in whole)
    known_a, known_b = ([value for value in side if value is not None] for side in (a, b))
    if not known_a or not known_b:
        return row
    return replace(row, contrast=contrast(known_a, known_b, is_paired=is_paired, has_bootstrap=has_bootstrap))


# ---------------------------------------------------------------- what else differs


def _what_else(
    reader: Reader, a: Sequence[str], b: Sequence[str], wheres: str
) -> tuple[tuple[Uneven, ...], tuple[str, ...]]:
    """What the groups do not have alike beside what their filters name, and what varies inside of them."""
    found = differing_params(reader, [*a, *b])
    keys = [param.key for param in found
            if not is_seed(param.key) and not is_place(param.key) and not only_labels(param)]  # fmt: skip
    values, _meanings = param_meanings(reader, [*a, *b], keys)
    columns = [(key, {run_id: _text(mine[key]) for run_id, mine in values.items() if key in mine}) for key in keys]
    columns += [(column.title, texts) for column, texts in run_facts(reader, [*a, *b])]
    uneven, mixed = [], []
    for name, texts in columns:
        of_a, of_b = (Counter(texts.get(run_id, "") for run_id in side) for side in (a, b))
        if len(of_a) > 1 or len(of_b) > 1:
            mixed.append(name)
        if not _is_named(name, wheres) and _shares(of_a) != _shares(of_b):
            uneven.append(Uneven(name, tuple(of_a.most_common()), tuple(of_b.most_common())))
    return tuple(uneven), tuple(mixed)


def _text(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _is_named(name: str, wheres: str) -> bool:
    return re.search(rf"(?<![\w.]){re.escape(name)}(?![\w.])", wheres.replace("params.", "")) is not None


def _shares(counts: Counter[str]) -> dict[str, float]:
    total = counts.total()
    return {text: round(n / total, 9) for text, n in counts.items()}
