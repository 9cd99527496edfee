"""What runs logged besides numbers: where it lies, and histograms and PR curves read from there.

The catalog holds places only. What is read is checked against the length and the digest that the adapter saw, so a log
that was written anew, or is gone, is a problem and never another run's picture.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Generic, TypeAlias, TypeVar

import numpy as np

from mlbench.dataclass import dataclass
from mlbench.queries.answers import ProblemLine, RunHead
from mlbench.queries.fragment import Sql
from mlbench.queries.heads import fetch_heads
from mlbench.queries.mistakes import shown
from mlbench.queries.reading import Reader
from mlbench.queries.series import below_root
from mlbench.safe import path_of_text
from mlbench.wire.files import open_regular
from mlbench.wire.histograms import Histogram, read_histogram
from mlbench.wire.layouts import LayoutChart, read_layout
from mlbench.wire.pr_curves import PrCurve, read_pr_curve
from mlbench.wire.protobuf import WireError
from mlbench.wire.texts import read_texts
from mlbench.wire.views import effective

if TYPE_CHECKING:
    from numpy.typing import NDArray

T = TypeVar("T")
Charts: TypeAlias = tuple[LayoutChart, ...]
Rows: TypeAlias = tuple[tuple[str, ...], ...]
"""Of texts: see `wire.texts.read_texts`."""

MAX_READ_BYTES = 64 << 20
"""A place that is longer is not read into memory: 1,048,576 buckets, listed one by one, are 18 MiB."""
_PLACES = """SELECT run_id, kind, metric, step, wall_s, seq, path, byte_offset, byte_length, encoding, width, height,
digest FROM blob WHERE run_id IN (SELECT unnest(CAST(? AS VARCHAR[])))
AND (? OR kind IN (SELECT unnest(CAST(? AS VARCHAR[])))) AND (? OR metric IN (SELECT unnest(CAST(? AS VARCHAR[]))))
ORDER BY metric, kind, path, seq, byte_offset"""
_EXPORT = """SELECT named.root, named.run, b.kind, b.metric, b.step,
CASE WHEN isfinite(b.wall_s) THEN b.wall_s END AS wall_time, b.path, b.byte_offset AS "offset", b.byte_length AS length,
b.encoding, b.width, b.height, b.digest FROM blob b
JOIN (SELECT unnest(CAST(? AS VARCHAR[])) AS run_id, unnest(CAST(? AS VARCHAR[])) AS root,
unnest(CAST(? AS VARCHAR[])) AS run) AS named ON named.run_id = b.run_id
ORDER BY named.root, named.run, b.run_id, b.kind, b.metric, b.path, b.seq, b.byte_offset"""

_DECODERS: Mapping[str, Callable[[bytes, str], Histogram | PrCurve | Charts | Rows]] = {
    "histogram": read_histogram, "pr_curve": read_pr_curve, "layout": read_layout, "text": read_texts,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class BlobPlace:
    """One thing that was logged, by the bytes that hold it."""

    head: RunHead
    kind: str
    """A kind of `model.Blob`: histogram, image, text, audio, pr_curve, layout, ..."""
    metric: str
    step: int
    wall_s: float
    """Unix seconds; NaN where the log has none."""
    seq: int
    path: str
    """Of the log, as text: see `safe.text_of_path`."""
    offset: int
    length: int
    encoding: str
    width: int
    """Of an image, 0 where not known."""
    height: int
    digest: str
    """BLAKE2b of the bytes, 16 hexadecimal digits; '' where the adapter has not seen them."""


@dataclass(frozen=True, slots=True)
class DecodedAnswer(Generic[T]):
    """What was read of places, and those that could not be."""

    items: tuple[tuple[BlobPlace, T], ...]
    problems: tuple[ProblemLine, ...] = ()


def fetch_places(
    reader: Reader, run_ids: Sequence[str], *, kinds: Sequence[str] = (), metrics: Sequence[str] = ()
) -> tuple[BlobPlace, ...]:
    """The places of what runs logged: the runs in their order, in each by metric, kind and the order of the log.

    Args:
        reader: the catalog.
        run_ids: the runs.
        kinds: only these; all if empty.
        metrics: only these names; all if empty.
    """
    ids = list(dict.fromkeys(run_ids))
    rows = reader.rows(_PLACES, [ids, not kinds, list(kinds), not metrics, list(metrics)])
    by_run: dict[str, list[BlobPlace]] = {run_id: [] for run_id in ids}
    heads = {head.run_id: head for head in fetch_heads(reader, ids)}
    for run_id, *rest in rows:
        by_run[run_id].append(BlobPlace(heads[run_id], *rest))
    return tuple(place for places in by_run.values() for place in places)


def export_places(reader: Reader, run_ids: Sequence[str]) -> Sql:
    """The statement for a table of places, a row for each blob of the runs.

    Columns: root, run (path below the root, as in `export_series`), kind, metric, step, wall_time, path, offset,
    length, encoding, width, height, digest.
    """
    ids = list(dict.fromkeys(run_ids))
    sql = "SELECT run_id, root, run_key FROM run WHERE run_id IN (SELECT unnest(CAST(? AS VARCHAR[])))"
    named = [(run_id, root, below_root(key, root)) for run_id, root, key in reader.rows(sql, [ids])]
    return Sql(_EXPORT, tuple([row[column] for row in named] for column in range(3)))


def fetch_histograms(
    reader: Reader, run_ids: Sequence[str], metrics: Sequence[str], *, step: int | None = None
) -> DecodedAnswer[Histogram]:
    """The histogram of each metric of each run at a step, the last one by default, read from the log.

    Where a step was logged twice the later one is taken, and what a restart replaced is never the last.
    A run without that step is a problem; one without the metric is left out.
    """
    return _fetch(reader, run_ids, metrics, step, "histogram", read_histogram)


def fetch_histogram_history(
    reader: Reader, run_ids: Sequence[str], metrics: Sequence[str], *, most: int = 200
) -> DecodedAnswer[Histogram]:
    """The histograms of all steps that count after restarts, in order; of more than `most`, evenly chosen ones."""
    chosen: list[BlobPlace] = []
    places = fetch_places(reader, run_ids, kinds=["histogram"], metrics=metrics)
    for _of, group in groupby(places, key=lambda place: (place.head.run_id, place.metric)):
        listed = list(group)
        kept = np.nonzero(effective(np.array([place.step for place in listed], dtype=np.int64)))[0]
        wanted = kept[np.unique(np.linspace(0, len(kept) - 1, min(most, len(kept))).round().astype(np.int64))]
        chosen += [listed[index] for index in wanted.tolist()]
    items: list[tuple[BlobPlace, Histogram]] = []
    problems: list[ProblemLine] = []
    for place in chosen:
        decoded = _decoded(place, read_histogram)
        if isinstance(decoded, ProblemLine):
            problems.append(decoded)
        else:
            items.append((place, decoded))
    return DecodedAnswer(tuple(items), tuple(problems))


def fetch_pr_curves(
    reader: Reader, run_ids: Sequence[str], metrics: Sequence[str], *, step: int | None = None
) -> DecodedAnswer[PrCurve]:
    """As `fetch_histograms`, PR curves."""
    return _fetch(reader, run_ids, metrics, step, "pr_curve", read_pr_curve)


def fetch_layout_charts(reader: Reader, run_ids: Sequence[str]) -> DecodedAnswer[Charts]:
    """The layouts of custom scalars, of each run and name the last that counts."""
    return _fetch(reader, run_ids, (), None, "layout", read_layout)


def _fetch(
    reader: Reader, run_ids: Sequence[str], metrics: Sequence[str], step: int | None, kind: str,
    decode: Callable[[bytes, str], T],
) -> DecodedAnswer[T]:  # fmt: skip
    places, problems = _at_step(fetch_places(reader, run_ids, kinds=[kind], metrics=metrics), step)
    items: list[tuple[BlobPlace, T]] = []
    for place in places:
        decoded = _decoded(place, decode)
        if isinstance(decoded, ProblemLine):
            problems.append(decoded)
        else:
            items.append((place, decoded))
    return DecodedAnswer(tuple(items), tuple(problems))


def decode_place(place: BlobPlace) -> Histogram | PrCurve | Charts | Rows | ProblemLine:
    """What lies at a place of kind histogram, pr_curve, layout or text; a problem for other kinds, too."""
    decode = _DECODERS.get(place.kind)
    if decode is None:
        return _problem(place, f"What was logged as {shown(place.kind)} is not decoded", "Its bytes are at that place")
    return _decoded(place, decode)


def _decoded(place: BlobPlace, decode: Callable[[bytes, str], T]) -> T | ProblemLine:
    content = read_place(place)
    if isinstance(content, ProblemLine):
        return content
    try:
        return decode(content, place.encoding)
    except WireError as error:
        what = f"{shown(place.metric)} could not be read as a {place.kind.replace('pr_', 'PR ')}: {error}"
        return _problem(place, what, "")


def _at_step(places: Sequence[BlobPlace], step: int | None) -> tuple[list[BlobPlace], list[ProblemLine]]:
    """The place of each metric of each run that counts at the step, and that there is none."""
    chosen: list[BlobPlace] = []
    problems: list[ProblemLine] = []
    for _of, group in groupby(places, key=lambda place: (place.head.run_id, place.metric)):
        listed = list(group)
        steps = np.array([place.step for place in listed], dtype=np.int64)
        index = _index(steps, step)
        if index is not None:
            chosen.append(listed[index])
            continue
        head = listed[0].head
        what = (
            f"{shown(listed[0].metric)} was not logged at step {step}. Its steps go from {steps.min()} to {steps.max()}"
        )
        problems.append(ProblemLine(head.name, "", what, "", head.run_id))
    return chosen, problems


def _index(steps: NDArray[np.int64], step: int | None) -> int | None:
    """Of steps in the order of the log: the last that counts, or the last at `step` (replaced or not)."""
    kept = effective(steps)
    if step is None:
        return int(np.nonzero(kept)[0][-1])
    (at_step,) = np.nonzero(steps == step)
    return int(at_step[-1]) if at_step.size else None


def read_place(place: BlobPlace) -> bytes | ProblemLine:
    """The bytes of a place, checked; a problem where the log does not hold them any more."""
    if not 0 <= place.length <= MAX_READ_BYTES:
        return _problem(place, f"{place.length:,} bytes are not read, only up to {MAX_READ_BYTES >> 20} MiB", "")
    try:
        with open_regular(path_of_text(place.path)) as file:
            file.seek(place.offset)
            content = file.read(place.length)
    except (OSError, ValueError) as error:  # ValueError: a path or an offset that no file has
        reason = getattr(error, "strerror", None) or "it is not a regular file"
        return _problem(place, f"The file could not be read: {reason}", "It was there when it was ingested")
    if len(content) < place.length:
        return _problem(place, "The file is shorter than when it was ingested", _AGAIN)
    if place.digest and hashlib.blake2b(content, digest_size=8).hexdigest() != place.digest:
        return _problem(place, "The file holds other bytes than when it was ingested", _AGAIN)
    return content


_AGAIN = "Try: mlbench ingest, for what it holds now"


def _problem(place: BlobPlace, what: str, hint: str) -> ProblemLine:
    return ProblemLine(place.path, f"offset {place.offset}", what, hint, place.head.run_id)
