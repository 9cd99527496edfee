"""Which columns a table of runs shows where nobody chose: the parameters that differ, and the metrics that matter."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, TypeVar

from mlbench.dataclass import dataclass
from mlbench.queries.columns import metric_spec, param_spec
from mlbench.queries.fragment import Sql
from mlbench.queries.goals import is_of_machine, ranked_metrics
from mlbench.queries.reading import Reader
from mlbench.queries.storage import chosen_runs, metric_counts

SAMPLED_RUNS, STRETCHES = 512, 8
"""Of more runs so many are looked at, in stretches spread over all: neighbours lie beside each other in the catalog,
and a read of 512 scattered ones would touch every block of it."""
FEW_RUNS = 2_000
"""Up to here every run is looked at."""
SHORT = 24
"""Characters that a value may have to be read at a glance."""
_DIFFERING = """
SELECT key, count(*) AS n_present, count(DISTINCT same) AS n_values, max(n_chars),
    bool_or(layer IN ('override', 'cli')), bool_and(layer = 'derived'), bool_and(is_reference),
    CASE WHEN count(num) = n_present THEN min(num) END AS least, max(num)
FROM param WHERE is_effective AND {chosen} GROUP BY key HAVING n_values > 1 OR n_present < ?"""
_SAMPLES = """
SELECT key, min(txt), max(txt) FROM param
WHERE is_effective AND {chosen} AND key IN (SELECT unnest(CAST(? AS VARCHAR[]))) GROUP BY key"""
_ALIKE = """
SELECT key FROM param WHERE is_effective AND {chosen} AND key IN (SELECT unnest(CAST(? AS VARCHAR[])))
GROUP BY key HAVING min(raw) = max(raw)"""
N_SAMPLES = 8
"""Runs whose texts are looked at to see what kind of value a parameter has; texts take far longer than numbers."""
_PLACE_WORDS = frozenset({
    "path", "paths", "dir", "directory", "folder", "file", "filename", "outdir", "logdir", "workdir", "uuid",
    "timestamp", "datetime", "date", "time", "pid", "port", "url", "uri", "hostname", "dirname",
})  # fmt: skip
_ID_WORDS = frozenset({
    "id", "run", "trial", "job", "exp", "experiment", "session", "wandb", "slurm", "process", "worker", "unique",
})  # fmt: skip
"""An id is a label if all its words are among these: `trial_id` is, `env_id` is a setting."""
_LABELS = frozenset({"name", "run_name", "exp_name", "experiment_name", "job_name", "comment", "output", "save", "log"})
_LOOKS_PLACED = re.compile(
    r"\S*[/\\]\S+"  # a path
    r"|.*(?<!\d)(?:19|20)\d\d[-_./]?[01]\d[-_./]?[0-3]\d(?!\d).*"  # a date
    r"|1[5-9]\d{8}(?:\d{3})?(?:\.\d+)?"  # Unix seconds or milliseconds
    r"|(?=[0-9a-f-]*\d)(?=[0-9a-f-]*[a-f])[0-9a-f]{8}[0-9a-f-]*",  # a hash or UUID
    re.DOTALL,
)


_Run = TypeVar("_Run", str, int)
"""How a run is named: by its id or by its number."""


@dataclass(frozen=True, slots=True)
class Differing:
    """A parameter that not all of the runs have alike."""

    key: str
    n_present: int
    n_values: int
    longest: int
    is_said: bool
    """On the command line of one of the runs."""
    is_derived: bool
    low: str | None
    high: str | None
    """Two of its texts, where each run that has it has its own."""


def is_label(key: str, samples: Sequence[str], *, is_derived: bool = False) -> bool:
    """Whether a parameter that is different in every run only tells the runs apart: a path, an id, a date, a name.

    Args:
        key: its key.
        samples: some of its values.
        is_derived: the source worked it out by itself; then a number of the job is one too.
    """
    last = re.split(r"[./]", key)[-1].lower()
    words = re.split(r"[^a-z]+", last)
    if "id" in words and _ID_WORDS.issuperset(words):
        return True
    if last in _LABELS or not _PLACE_WORDS.isdisjoint(words) or (is_derived and "num" in words):
        return True
    return bool(samples) and all(_LOOKS_PLACED.fullmatch(sample) for sample in samples)


def sampled(run_ids: Sequence[_Run]) -> Sequence[_Run]:
    """Runs enough to see which parameters differ, by id or number; all where they are few."""
    if len(run_ids) <= FEW_RUNS:
        return run_ids
    length = SAMPLED_RUNS // STRETCHES
    starts = [place * (len(run_ids) - length) // (STRETCHES - 1) for place in range(STRETCHES)]
    return [run_id for start in starts for run_id in run_ids[start : start + length]]


def default_columns(
    reader: Reader, run_ids: Sequence[str], *, n_params: int = 6, n_metrics: int = 3
) -> tuple[str, ...]:
    """Column specifications for these runs: the metric that matters most, parameters that differ, more metrics.

    The metric stands first since columns are left out from the right where there is no room.

    Parameters that most runs have come first, of those the ones that were said on a command line, then short values,
    then few distinct values (the axes of a sweep). Left out are paths, ids, dates and names that are different in
    every run, and references to other parameters (`${data.n}`).

    Args:
        reader: the catalog.
        run_ids: the runs shown.
        n_params: parameters at most.
        n_metrics: metrics at most.
    """
    return tuple(spec for spec, _is_rare in _chosen(reader, run_ids, n_params, n_metrics))


def usual_columns(reader: Reader, run_ids: Sequence[str], fields: Sequence[str]) -> tuple[str, ...]:
    """As `default_columns`, with fields of the runs behind; what few of the runs have stands behind the fields.

    Of a mixed lot, where the runs have little in common, the fields then say more than columns that are mostly empty.
    """
    chosen = _chosen(reader, run_ids, 6, 3)
    common, rare = ([spec for spec, is_rare in chosen if is_rare == wanted] for wanted in (False, True))
    return (*common, *fields, *rare)


def _chosen(reader: Reader, run_ids: Sequence[str], n_params: int, n_metrics: int) -> list[tuple[str, bool]]:
    """The columns in their order, and whether few of the runs have a value there."""
    n_runs = len(run_ids)
    differing = differing_params(reader, run_ids) if n_runs > 1 else []
    kept = sorted((param for param in differing if not only_labels(param)), key=lambda param: rank_of(param, n_runs))
    params = [(param_spec(param.key), param.n_present * 2 < n_runs) for param in kept[:n_params]]
    asked = {*reader.words.primary.values(), *reader.words.goals}
    counts = metric_counts(reader, run_ids) if n_runs else {}
    ranked = ranked_metrics(reader, run_ids, counts=counts)
    metrics = [metric for metric in ranked if metric in asked or not is_of_machine(metric)][:n_metrics]
    # Trainings that broke off early have no score: of one sweep a quarter is enough.
    specs = [(metric_spec(metric), metric not in asked and counts[metric] * 4 < n_runs) for metric in metrics]
    return [*specs[:1], *params, *specs[1:]]


def differing_params(reader: Reader, run_ids: Sequence[str]) -> list[Differing]:
    """The parameters that not all of the runs have alike, but those that refer to another one in all (`${data.n}`)."""
    chosen = chosen_runs(reader, run_ids)
    rows = reader.rows(_DIFFERING.format(chosen=chosen.text), [*chosen.parameters, len(run_ids)])
    references = [key for key, *_facts, is_reference, _least, _greatest in rows if is_reference]
    alike = {key for (key,) in _of_keys(reader, _ALIKE, chosen, references)}
    own = [key for key, n, n_values, *_facts, least, _greatest in rows if n == n_values > 1 and least is None]
    some = chosen_runs(reader, run_ids[:: max(1, len(run_ids) // N_SAMPLES)])
    texts = {key: (low, high) for key, low, high in _of_keys(reader, _SAMPLES, some, own)}
    return [
        Differing(key, n_present, n_values, longest, is_said, is_derived,
                  *texts.get(key, (_number_text(least), _number_text(greatest))))
        for key, n_present, n_values, longest, is_said, is_derived, _is_reference, least, greatest in rows
        if key not in alike
    ]  # fmt: skip


def _number_text(number: float | None) -> str | None:
    if number is None:
        return None
    return str(int(number)) if number.is_integer() else repr(number)


def _of_keys(reader: Reader, sql: str, chosen: Sql, keys: list[str]) -> list[tuple[Any, ...]]:
    return reader.rows(sql.format(chosen=chosen.text), [*chosen.parameters, keys]) if keys else []


def only_labels(param: Differing) -> bool:
    """Whether the parameter only tells the runs apart: each has its own, and it is a path, an id, a date or a name."""
    is_own = param.n_values == param.n_present > 1
    samples = [text for text in (param.low, param.high) if text is not None]
    return is_own and is_label(param.key, samples, is_derived=param.is_derived)


def rank_of(param: Differing, n_runs: int) -> tuple[bool, bool, bool, bool, int, str]:
    """By what the parameters that matter most come first, see `default_columns`."""
    is_rare = param.n_present * 2 < n_runs
    n_values = param.n_values + (param.n_present < n_runs)  # missing is a value too
    return param.n_values < 2, is_rare, not param.is_said, param.longest > SHORT, n_values, param.key
