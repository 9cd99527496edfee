"""Two groups of runs against each other: tables and plain sentences for people, one record a metric for programs."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from mlbench.render.cells import Cell, Line, line_of
from mlbench.render.numbers import delta, number, percent
from mlbench.render.records import Records
from mlbench.render.table import Section, Table, heading, section_lines
from mlbench.safe import safe

if TYPE_CHECKING:
    from mlbench.queries.answers import Value
    from mlbench.queries.estimates import Estimate, Interval
    from mlbench.queries.significance import Chance, Contrast
    from mlbench.queries.versus import Measured, Uneven, VersusAnswer

A, B = "A", "B"
MOST_TEXTS = 4
"""Values of a parameter that are listed; of more the rest is counted."""
MOST_RATIO = 100.0
"""A difference that is so many times the baseline says nothing as a percentage."""
ROLES = {"better": "good", "worse": "bad", "different": "changed"}
_TITLES = ("", "n", "mean", "median", "IQM", "95 % (t)", "95 % (bootstrap)", "least", "greatest")


def versus_sections(answer: VersusAnswer) -> tuple[Section, ...]:
    """The groups, each metric with its sentences, and what else differs."""
    sections = [_groups(answer), *(_metric(row) for row in answer.metrics)]
    if answer.uneven:
        rows = tuple((Cell(safe(row.name), "key"), Cell(safe(_texts(row.a))), Cell(safe(_texts(row.b)), "warning"))
                     for row in answer.uneven)  # fmt: skip
        table = Table((heading(""), heading(A, role="baseline"), heading(B, role="run1")), rows)
        sections.append(
            Section("also", safe("what else differs between the groups"), table, safe("perhaps the reason"))
        )
    return tuple(sections)


def versus_lines(answer: VersusAnswer, width: int | None = None) -> tuple[Line, ...]:
    """Everything below each other: tables, and under each metric's the sentences about it, wrapped."""
    lines: list[Line] = []
    rows = {row.spec: row for row in answer.metrics}
    for section in versus_sections(answer):
        lines += [()] if lines else []
        lines += section_lines([section], width)
        row = rows.get(section.key)
        for text, role in sentences(row, is_paired=answer.is_paired) if row is not None and row.contrast else ():
            wrapped = (
                textwrap.wrap(text, max(width or 100, 20) - 2, break_on_hyphens=False)
                if width is None or width < 1000
                else [text]
            )
            lines += [line_of((f"  {part}", role or "muted")) for part in wrapped]
    return tuple(lines)


def _groups(answer: VersusAnswer) -> Section:
    rows = tuple(
        (Cell(safe(name), role), Cell(safe(str(len(heads))), align="number"), Cell(safe(where or "all runs")))
        for name, role, heads, where in (
            (A, "baseline", answer.a, answer.where_a), (B, "run1", answer.b, answer.where_b),
        )
    )  # fmt: skip
    table = Table((heading("group"), heading("runs", align="number"), heading("filter")), rows)
    return Section("groups", safe("groups"), table, safe(_pairing(answer)))


def _pairing(answer: VersusAnswer) -> str:
    keys = ", ".join(answer.pair_keys[:MOST_TEXTS]) + (", …" if len(answer.pair_keys) > MOST_TEXTS else "")
    if answer.is_paired:
        return f"compared in {answer.n_pairs} pairs of equal {keys}"
    if answer.n_pairs >= 2:
        return f"{answer.n_pairs} pairs have equal {keys}; --pairing paired compares these alone"
    return ""


def _texts(counts: Sequence[tuple[str, int]]) -> str:
    """`v1 ×6, v2 ×13`; one value alone without its count."""
    if len(counts) == 1:
        return counts[0][0] or "(absent)"
    shown = ", ".join(f"{text or '(absent)'} ×{n}" for text, n in counts[:MOST_TEXTS])
    return shown + (f", {len(counts) - MOST_TEXTS} more" if len(counts) > MOST_TEXTS else "")


# ---------------------------------------------------------------- a metric


def _metric(row: Measured) -> Section:
    goal = f"{row.goal}{' (guessed)' if row.goal_how == 'guessed' else ''}"
    found = row.contrast
    title = safe(f"{row.title}{f'   {goal}' if goal else ''}")
    # A cut number is another number: columns that have no room are left out and named.
    headings = tuple(
        replace(heading(text, align="number" if text == "n" else "left"), is_cut=False) for text in _TITLES
    )
    if found is None:
        return Section(row.spec, title, Table((heading(""),), ((Cell(safe(verdict_sentence(row)), "warning"),),)))
    rows = [_estimate_row(A, "baseline", found.a, row.a), _estimate_row(B, "run1", found.b, row.b)]
    rows += [_difference_row(row, found)]
    return Section(row.spec, title, Table(headings, tuple(rows)))


def _estimate_row(name: str, role: str, found: Estimate, values: Sequence[float | None]) -> tuple[Cell, ...]:
    n = f"{found.n} of {len(values)}" if found.n < len(values) else str(found.n)
    texts = (n, number(found.mean), number(found.median), number(found.iqm), interval_text(found.student),
             interval_text(found.bootstrap), number(found.least), number(found.greatest))  # fmt: skip
    return (Cell(safe(name), role), *(Cell(safe(text or "-")) for text in texts))


def _difference_row(row: Measured, found: Contrast) -> tuple[Cell, ...]:
    role = ROLES.get(row.verdict, "")
    ratio = abs(found.difference / found.a.mean) if found.a.mean else math.inf
    share = f" ({percent(100 * found.difference / abs(found.a.mean))})" if ratio < MOST_RATIO else ""
    texts = ("", delta(found.difference) + share, "", "", interval_text(found.interval, has_sign=True),
             interval_text(found.bootstrap, has_sign=True), "", "")  # fmt: skip
    return (Cell(safe(f"{B} - {A}"), "key"), *(Cell(safe(text), role) for text in texts))


def interval_text(interval: Interval | None, *, has_sign: bool = False) -> str:
    """`0.8041 .. 0.8102`; '' for none."""
    if interval is None:
        return ""
    show = delta if has_sign else number
    return f"{show(interval.low)} .. {show(interval.high)}"


def sentences(row: Measured, *, is_paired: bool) -> list[tuple[str, str]]:
    """What the numbers say, each with a role."""
    found = row.contrast
    lines: list[tuple[str, str]] = []
    if found is None:
        return [(verdict_sentence(row), "warning")]
    parts = []
    if found.effect is not None:
        parts.append(f"effect size {number(found.effect, digits=3)} ({'d of pairs' if is_paired else 'Hedges g'}, "
                     f"{_size_word(found.effect)})")  # fmt: skip
    if row.improvement is not None:
        parts.append(f"probability that a run of {B} is better: {100 * row.improvement:.0f} %")
    if found.chance is not None and row.p_holm is not None:
        corrected = f", Holm-corrected {p_text(row.p_holm)}" if row.p_holm != found.chance.p else ""
        how = "exact" if found.chance.is_exact else f"{found.chance.n_arrangements - 1:,} random"
        parts.append(f"permutation test {p_text(found.chance.p)} (two-sided, {how}){corrected}")
    lines += [("; ".join(parts), "")] if parts else []
    lines.append((chance_sentence(row), ""))
    lines.append((verdict_sentence(row), ROLES.get(row.verdict, "warning")))
    return lines


def _size_word(effect: float) -> str:
    """Cohen's words (1988)."""
    size = abs(effect)
    return next(
        word for least, word in ((0.8, "large"), (0.5, "medium"), (0.2, "small"), (0.0, "slight")) if size >= least
    )


def p_text(p: float) -> str:
    """`p = 0.1`."""
    return f"p = {number(p, digits=2)}" if p >= 0.001 else "p < 0.001"


def chance_sentence(row: Measured, *, who: str = B) -> str:
    """`n=2 and 2: by chance alone B would be this far ahead 1 time in 6`."""
    found = row.contrast
    if found is None:
        return ""
    n = f"n={found.a.n} pairs" if found.is_paired else f"n={found.a.n} and {found.b.n}"
    if found.chance is None:
        return f"{n}: one run on a side says nothing about chance"
    if found.difference == 0:
        return f"{n}: the means are equal"
    if not row.goal:
        side = "this much greater" if found.difference > 0 else "this much less"
    else:
        side = "this far ahead" if (found.difference < 0) == (row.goal == "min") else "this far behind"
    return f"{n}: by chance alone {who} would be {side} {times(found.chance)}"


def times(chance: Chance) -> str:
    """`1 time in 6`, `3 times in 70`, `about 1 time in 140`."""
    n, total = chance.n_as_far, chance.n_arrangements
    if not chance.is_exact and n == 1:
        return f"less than 1 time in {total // 2:,}"
    if not chance.is_exact or (total > 1000 and n > 1):
        return f"about 1 time in {number(total / n, digits=2 if total / n < 100 else 3)}"
    return f"{n} {'time' if n == 1 else 'times'} in {total:,}"


def verdict_sentence(row: Measured, *, names: tuple[str, str] = (A, B)) -> str:
    """The verdict in words, and what is missing where there is none."""
    from mlbench.queries.significance import ALPHA, least_p, n_needed

    found = row.contrast
    if found is None:
        empty = [name for name, side in zip(names, (row.a, row.b), strict=True) if all(value is None for value in side)]
        return f"no run of {' and of '.join(empty) or 'a whole pair'} has a finite {row.title}"
    if row.verdict == "unknown":
        return f"nothing can be said: it takes {_needed(found, n_needed(is_paired=found.is_paired))}"
    if row.verdict in ROLES:
        return f"{names[1]} is {row.verdict}{'' if row.verdict == 'different' else f' than {names[0]}'} (at 5 %)"
    if least_p(found.a.n, found.b.n, is_paired=found.is_paired) > ALPHA:
        return (f"not shown to differ, and with so few runs nothing could be: it takes "
                f"{_needed(found, n_needed(is_paired=found.is_paired))}")  # fmt: skip
    return "not shown to differ (at 5 %)"


def _needed(found: Contrast, n: int) -> str:
    return f"{n} pairs" if found.is_paired else f"{n} runs on each side"


# ---------------------------------------------------------------- records


def versus_records(answer: VersusAnswer) -> Records:
    """One row a metric; b against a. Exact values, None where there is none."""
    keys = (
        "metric", "goal", "n_a", "n_b", "mean_a", "mean_b", "median_a", "median_b", "iqm_a", "iqm_b", "difference",
        "low", "high", "bootstrap_low", "bootstrap_high", "effect", "p", "p_holm", "one_sided", "n_arrangements",
        "is_exact", "improvement", "is_paired", "verdict",
    )  # fmt: skip
    return Records(keys, tuple(_record(row, answer) for row in answer.metrics))


def _record(row: Measured, answer: VersusAnswer) -> tuple[Value, ...]:
    found = row.contrast
    if found is None:
        return (row.title, row.goal, *[None] * 20, answer.is_paired, row.verdict)
    chance = found.chance
    tests = (chance.p, row.p_holm, chance.one_sided, chance.n_arrangements, chance.is_exact) if chance else (None,) * 5
    return (
        row.title, row.goal, found.a.n, found.b.n, found.a.mean, found.b.mean, found.a.median, found.b.median,
        found.a.iqm, found.b.iqm, found.difference, *_ends(found.interval), *_ends(found.bootstrap), found.effect,
        *tests, row.improvement, answer.is_paired, row.verdict,
    )  # fmt: skip


def _ends(interval: Interval | None) -> tuple[float | None, float | None]:
    return (interval.low, interval.high) if interval else (None, None)


def uneven_text(rows: Sequence[Uneven]) -> str:
    """`lr (0.1 | 0.01), data (v2 | v1 ×3, v2 ×9)`."""
    return ", ".join(f"{row.name} ({_texts(row.a)} | {_texts(row.b)})" for row in rows)
