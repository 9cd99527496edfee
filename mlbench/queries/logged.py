"""Which names on the command line mean numbers, and which mean histograms or PR curves."""

from __future__ import annotations

from collections.abc import Sequence

from mlbench.dataclass import dataclass
from mlbench.errors import UsageError
from mlbench.queries.goals import ranked_metrics
from mlbench.queries.mistakes import shown
from mlbench.queries.names import bare_metric, metrics_of
from mlbench.queries.reading import Reader
from mlbench.queries.suggest import did_you_mean
from mlbench.queries.vocabulary import runs_text

DRAWN_KINDS = {"hist": "histogram", "line": "pr_curve", "matrix": "confusion"}
"""For a kind of plot, the kind of blob that it draws."""
_WORDS = {"histogram": "histograms", "pr_curve": "PR curves", "image": "images", "text": "texts", "tensor": "tensors",
          "graph": "graphs", "layout": "layouts", "confusion": "confusion matrices"}  # fmt: skip
_HINTS = {"histogram": "--kind hist", "pr_curve": "--kind line", "confusion": "--kind matrix"}
_SCALARS = """SELECT DISTINCT run_id FROM series WHERE run_id IN (SELECT unnest(CAST(? AS VARCHAR[])))
AND metric IN (SELECT unnest(CAST(? AS VARCHAR[])))"""
_BLOBS = """SELECT kind, metric, list(DISTINCT run_id) FROM blob
WHERE run_id IN (SELECT unnest(CAST(? AS VARCHAR[]))) GROUP BY kind, metric ORDER BY metric, kind"""


_NAMES = """SELECT metric, count(DISTINCT run_id) AS n FROM blob
WHERE kind = ? AND run_id IN (SELECT unnest(CAST(? AS VARCHAR[]))) GROUP BY metric ORDER BY n DESC, metric"""


def fetch_logged_names(reader: Reader, run_ids: Sequence[str], kind: str) -> dict[str, int]:
    """Under which names the runs logged something of a kind, and how many runs did: most runs first."""
    return dict(reader.rows(_NAMES, [kind, list(run_ids)]))


@dataclass(frozen=True, slots=True)
class Chosen:
    """What words mean for a plot."""

    scalars: tuple[str, ...] = ()
    """Names of numbers."""
    logged: tuple[str, ...] = ()
    """Names of histograms, PR curves or confusion matrices."""
    scalar_runs: frozenset[str] = frozenset()
    """The runs that have one of the numbers."""
    logged_runs: frozenset[str] = frozenset()
    """The runs that have one of the others."""


def choose_metrics(reader: Reader, words: Sequence[str], run_ids: Sequence[str], plot: str) -> Chosen:
    """Tell numbers from what else the plot can draw; where a word means both it means the numbers.

    Matrices are never drawn of numbers: for them no word means any.

    Args:
        reader: the catalog.
        words: names or globs of metrics.
        run_ids: the runs that are looked at.
        plot: the kind of plot.

    Raises:
        UsageError: a word means neither; the message says what it does mean, or the nearest name.
    """
    known = ranked_metrics(reader, run_ids)
    numbers = () if plot == "matrix" else known
    scalars = tuple(dict.fromkeys(name for word in words for name in metrics_of(word, numbers)))
    runs = frozenset(run_id for (run_id,) in reader.rows(_SCALARS, [list(run_ids), list(scalars)]))
    others = [word for word in words if not metrics_of(word, numbers)]
    if not others:
        return Chosen(scalars, (), runs)
    blobs = reader.rows(_BLOBS, [list(run_ids)])
    drawn = {metric: ids for kind, metric, ids in blobs if kind == DRAWN_KINDS.get(plot)}
    logged: dict[str, None] = {}
    for word in others:
        matching = metrics_of(word, list(drawn))
        if not matching:
            raise UsageError(_not_drawn(word, blobs, known, len(run_ids), plot))
        logged.update(dict.fromkeys(matching))
    having = frozenset(run_id for metric in logged for run_id in drawn[metric])
    return Chosen(scalars, tuple(logged), runs, having)


def _not_drawn(
    word: str, blobs: Sequence[tuple[str, str, object]], scalars: Sequence[str], n_runs: int, plot: str
) -> str:
    wanted = "confusion matrices" if plot == "matrix" else "numbers"
    for kind, metric, _ids in blobs:
        if metrics_of(word, [metric]):
            hint = _HINTS.get(kind, "mlbench export blobs -o FILE, for where they are")
            return f"{shown(word)} was logged as {_WORDS.get(kind, kind)}, not as {wanted}. Try: {hint}"
    if metrics_of(word, scalars):
        return f"{shown(word)} was logged as numbers, not as {wanted}. Try: --kind line"
    known = [*scalars, *(metric for _kind, metric, _ids in blobs)]
    return f"no metric {shown(word)} in {runs_text(n_runs)}.{did_you_mean(bare_metric(word), known)}"
