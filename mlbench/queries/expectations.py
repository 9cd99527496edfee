"""What a user expects of a comparison, for scripts: `better`, `not-worse by 0.01`, `val/acc better`."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mlbench.errors import UsageError
from mlbench.queries.mistakes import shown
from mlbench.queries.names import bare_metric
from mlbench.queries.suggest import did_you_mean
from mlbench.queries.versus import Measured, VersusAnswer

WORDS = ("better", "worse", "different", "not-better", "not-worse", "not-different")
_FORM = re.compile(r"(?:(?P<metric>.*?\S)\s++)?(?P<word>[a-z-]+)(?:\s+by\s+(?P<margin>\S+))?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Expectation:
    text: str
    word: str
    """One of WORDS."""
    metric: str = ""
    """'' for every metric of the comparison."""
    margin: float | None = None
    """The whole 95 % interval must be beyond it; None asks for the test alone."""


def read_expectation(text: str) -> Expectation:
    """An expectation: perhaps a metric, one of WORDS, perhaps `by` and a margin in the metric's unit.

    Raises:
        UsageError: it is none.
    """
    found = _FORM.fullmatch(text.strip().replace("not ", "not-"))
    if found is None or found["word"].lower() not in WORDS:
        word = found["word"] if found else text
        raise UsageError(f"--expect {shown(text)} is not understood.{did_you_mean(word, WORDS)} "
                         f"One of: {', '.join(WORDS)}, perhaps with 'by 0.01' behind it")  # fmt: skip
    margin = _margin(found["margin"], text)
    word = found["word"].lower()
    if margin is not None and word not in ("better", "not-worse"):
        raise UsageError(f"--expect {shown(text)}: a margin goes with 'better' and 'not-worse' only")
    return Expectation(text, word, bare_metric(found["metric"] or ""), margin)


def _margin(text: str | None, whole: str) -> float | None:
    if text is None:
        return None
    try:
        margin = float(text)
    except ValueError:
        margin = -1.0
    if not 0 <= margin < float("inf"):
        raise UsageError(f"--expect {shown(whole)}: 'by' needs a number from 0 on, got {shown(text)}")
    return margin


def failures(expectation: Expectation, answer: VersusAnswer) -> tuple[str, ...]:
    """A sentence for each metric of which it does not hold.

    Raises:
        UsageError: it is about a metric that is not compared, or needs a goal that is not known.
    """
    rows = [row for row in answer.metrics if not expectation.metric or _is_about(row, expectation.metric)]
    if not rows:
        raise UsageError(
            f"--expect {shown(expectation.text)}: that metric is not compared. Add: -m {expectation.metric}"
        )
    return tuple(text for row in rows if (text := _failure(expectation, row)))


def _is_about(row: Measured, metric: str) -> bool:
    return metric in (row.title, row.spec, row.title.partition(" ")[2])


def _failure(expectation: Expectation, row: Measured) -> str:
    if not row.goal and "different" not in expectation.word:
        raise UsageError(f"it is not known whether less or more of {shown(row.title)} is better. "
                         "Try: mlbench metric NAME --goal min")  # fmt: skip
    if expectation.margin is not None:
        return _failure_of_margin(expectation.margin, expectation.word, row)
    is_negated = expectation.word.startswith("not-")
    word = expectation.word.removeprefix("not-")
    is_so = row.verdict == word or (word == "different" and row.verdict in ("better", "worse"))
    if row.verdict == "unknown":
        return f"{row.title}: nothing can be said, with so few runs"
    return "" if is_so != is_negated else f"{row.title}: expected {expectation.word}, it is {row.verdict}"


def _failure_of_margin(margin: float, word: str, row: Measured) -> str:
    """`better by m`: even the worst end of the interval is so far ahead. `not-worse by m`: it is not so far behind."""
    interval = row.contrast.interval if row.contrast else None
    if interval is None:
        return f"{row.title}: there is no interval, with so few runs"
    worst = interval.low if row.goal == "max" else -interval.high
    is_so = worst > margin if word == "better" else worst > -margin
    return "" if is_so else f"{row.title}: expected {word} by {margin:g}, the interval reaches {worst:+.4g}"
