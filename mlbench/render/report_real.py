"""Is it real: each setting of a report against the baseline's, p values corrected over all of its tests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mlbench.queries.vocabulary import runs_text
from mlbench.render.inside import short_hashes
from mlbench.render.numbers import delta, number
from mlbench.render.report_parts import strong, table
from mlbench.render.versus import ROLES, chance_sentence, interval_text, uneven_text, verdict_sentence
from mlbench.safe import markdown_code

if TYPE_CHECKING:
    from mlbench.queries.report_answer import ReportAnswer
    from mlbench.queries.versus import Measured, VersusAnswer

_TITLES = ("setting", "metric", "difference", "95 % (t)", "effect", "better", "p", "p (Holm)", "verdict")


def is_it_real(answer: ReportAnswer) -> str:
    """A table of every metric with a goal for each setting, and what was found in words; '' without a test."""
    real = answer.real
    if real is None or not real.answers:
        return ""
    base = real.answers[0]
    n_tests = sum(row.contrast is not None for one in real.answers for row in one.metrics)
    head = (
        f"Each setting against the baseline's, {_named(base.where_a, len(base.a))}, by the best value of each metric. "
        "p is of the permutation test, Holm's is corrected for all "
        f"{n_tests} tests of this table; better is the probability that a run of the setting is better than one of the "
        f"baseline's. {_left_out(answer)}"
    )
    rows = [line for one in real.answers for line in _rows(one)]
    found = [sentence for one in real.answers for sentence in _sentences(one)]
    words = "".join(f"- {sentence}\n" for sentence in found)
    shown = words or f"- {_nothing(real.answers)}\n"
    return f"## Is it real\n\n{head.rstrip()}\n\n{table(_TITLES, rows, right=range(2, 8))}\n{shown}"


def _named(where: str, n_runs: int) -> str:
    return f"{markdown_code(short_hashes(where) or 'all others')} ({runs_text(n_runs)})"


def _left_out(answer: ReportAnswer) -> str:
    n = answer.n_untested
    if not n:
        return ""
    return f"{n} more {'setting is' if n == 1 else 'settings are'} not tested: of one run, or beyond the first eight."


def _rows(answer: VersusAnswer) -> list[list[str]]:
    how = f", in pairs of equal {markdown_code(', '.join(answer.pair_keys))}" if answer.is_paired else ""
    named = [_named(answer.where_b, len(answer.b)) + how, *[""] * (len(answer.metrics) - 1)]
    return [[name, *_cells(row)] for name, row in zip(named, answer.metrics, strict=True)]


def _cells(row: Measured) -> list[str]:
    metric = markdown_code(row.title.removeprefix("best ")) + (f" ({row.goal})" if row.goal else "")
    found = row.contrast
    if found is None:
        return [metric, *["–"] * 6, "no value"]
    p = found.chance.p if found.chance else None
    texts = (
        delta(found.difference, digits=3), interval_text(found.interval, has_sign=True),
        "" if found.effect is None else number(found.effect, digits=2),
        "" if row.improvement is None else f"{100 * row.improvement:.0f} %", _p(p), _p(row.p_holm),
    )  # fmt: skip
    return [metric, *(text or "–" for text in texts), strong(row.verdict, row.verdict in ROLES)]


def _p(p: float | None) -> str:
    return "" if p is None else (number(p, digits=2) if p >= 0.001 else "< 0.001")


def _sentences(answer: VersusAnswer) -> list[str]:
    """What was shown of a setting, and what else may be the reason."""
    name = _named(answer.where_b, len(answer.b))
    shown = [row for row in answer.metrics if row.verdict in ROLES]
    told = [f"{name}, {_said(row)}" for row in shown]
    if shown and answer.uneven:
        reasons = uneven_text(answer.uneven).replace(" | ", " against ")
        told.append(f"{name}: what else differs, perhaps the reason: {markdown_code(reasons)}.")
    return told


def _said(row: Measured) -> str:
    chance = chance_sentence(row, who="the setting")
    verdict = verdict_sentence(row, names=("the baseline's", "the setting"))
    return f"{markdown_code(row.title)}, {chance}; {verdict}."


def _nothing(answers: Sequence[VersusAnswer]) -> str:
    """Why nothing was shown: of the first metric of the first setting, which is the one that matters most."""
    return (
        f"Nothing is shown to differ. {_named(answers[0].where_b, len(answers[0].b))}, {_said(answers[0].metrics[0])}"
    )
