"""Any CSV, JSON or Parquet file that the user's `mlbench-mapping.yaml` tells how to read.

A mapping lies beside the logs, and then holds in its folder and all below, or is named by the setting `mapping` or the
option `--mapping`. Each of its rules names files by a glob and says which column is the step, the wall time, the run,
the metric and its value, which are metrics, which parameters. What a rule names no other adapter gets. A file whose
rule names a column of runs is many runs; else each file is one, or those of a folder together.
See docs/how-to/read-other-files.md.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from functools import lru_cache

from mlbench.dataclass import dataclass
from mlbench.model import (
    Adapter,
    Claim,
    Cursor,
    Fact,
    JsonValue,
    Listing,
    Points,
    Problem,
    ReadStatus,
    Role,
    RunField,
    Source,
)
from mlbench.wire.counting import so_many
from mlbench.wire.mapped_points import Taker, held, key_of, missing_columns, step_column
from mlbench.wire.mapped_rows import RowSource, read_mapped
from mlbench.wire.mapping import MAPPING_NAME, FileMapping, Rule, ending_of, load_mapping, rule_of

MAX_RUNS = 20_000
"""Runs of one file; more are rows of data, not runs."""
MAX_HELD_POINTS = 30_000_000
"""Of a file with many runs, which are told apart in memory: 1.2 GB."""
_NO_FORMAT = "the mapping does not say what this file is, and its ending does not either"


def claims(listing: Listing) -> Iterator[Claim]:
    own = os.path.join(listing.path, MAPPING_NAME)
    here = (own,) if listing.has(MAPPING_NAME) else ()
    for problem in load_mapping(own).problems if here else ():
        yield Claim(own, Role.ASIDE, listing.path, problem=problem)
    seen: set[str] = set()
    for path in (*here, *listing.mappings_above):
        for name, rule in _named(listing, load_mapping(path)):
            if name not in seen and name != MAPPING_NAME:
                seen.add(name)
                yield from _claim(listing.path, os.path.join(listing.path, name), rule)


def _named(listing: Listing, mapping: FileMapping) -> Iterator[tuple[str, Rule]]:
    """The files that the mapping has a rule for, with the rule that holds."""
    endings = {ending_of(rule.match) for _line, rule in mapping.rules}
    names = listing.files if "" in endings else listing.ending(*sorted(endings))
    for name in sorted(names):
        found = mapping.rule_for(os.path.join(listing.path, name))
        if found is not None:
            yield name, found[1]


def _claim(folder: str, path: str, rule: Rule) -> Iterator[Claim]:
    if rule.is_left_alone:
        yield Claim(path, Role.ASIDE, folder, is_mapped=True)
    elif not rule.format_of(path):
        problem = Problem(path, _NO_FORMAT, hint=f"add to its rule in {rule.mapping}: format: csv")
        yield Claim(path, Role.METRICS, folder, problem=problem)
    elif rule.run:
        yield from _part_claims(folder, path, rule)
    else:
        is_one = rule.each == "file"
        yield Claim(path, Role.METRICS, folder, is_one_training=is_one, is_mapped=True, rule=rule.text)


def _part_claims(folder: str, path: str, rule: Rule) -> Iterator[Claim]:
    """A claim for each run of a file with many, and one for what is wrong with the file as a whole."""
    grouped = _group(path, rule.text)
    for problem in grouped.problems:
        yield Claim(path, Role.METRICS, folder, problem=problem)
    for part, run in grouped.runs.items():
        yield Claim(path, Role.METRICS, folder, is_mapped=True, rule=rule.text, part=part, mark=run.mark)
    if not grouped.runs:
        yield Claim(path, Role.ASIDE, folder, is_mapped=True)


# ---------------------------------------------------------------- reading


def read(source: Source, _cursor: Mapping[str, JsonValue] | None) -> Iterator[Fact]:
    if source.part:
        yield from _read_part(source)
        return
    rows = RowSource(source.path, rule_of(source.rule))
    taker: Taker | None = None
    for row in read_mapped(rows):
        if taker is None:
            taker = Taker(rows.rule, step_column(rows.rule, row))
        taker.take(row)
        if taker.points.is_full:
            yield from taker.points.flush()
    yield from rows.problems
    if taker is not None:
        yield from taker.points.flush()
        yield from taker.facts(source.path)
    if rows.status in (ReadStatus.EOF, ReadStatus.TRUNCATED):
        yield from _lacking(rows, taker)
    yield Cursor({}, rows.status, taker.n_rows if taker else 0, rows.n_bad)


def _lacking(rows: RowSource, taker: Taker | None) -> Iterator[Problem]:
    """What the rule names and the file has not; and that nothing came of it at all."""
    missing = list(missing_columns(rows)) if rows.columns else []
    yield from missing
    if not missing and (taker is None or not taker.points.n_points):
        hint = f"the columns are: {', '.join(list(rows.columns)[:12]) or 'none'}"
        yield Problem(rows.path, "by the mapping no column holds numbers; nothing was taken from it", hint=hint)


@dataclass(frozen=True, slots=True)
class _Run:
    """One run of a file with many."""

    points: tuple[Points, ...]
    facts: tuple[Fact, ...]
    n_rows: int
    mark: str


@dataclass(frozen=True, slots=True)
class _Grouped:
    runs: Mapping[str, _Run]
    problems: tuple[Problem, ...]
    """Of the file as a whole."""


def _read_part(source: Source) -> Iterator[Fact]:
    grouped = _group(source.path, source.rule)
    run = grouped.runs.get(source.part)
    if run is None:
        yield from grouped.problems
        yield Problem(source.path, f"the run {source.part!r} is not in it any more")
        yield Cursor({}, ReadStatus.UNREADABLE)
        return
    yield RunField("name", source.part)
    yield from run.points
    yield from run.facts
    yield Cursor({}, ReadStatus.EOF, run.n_rows)


def _group(path: str, rule: str) -> _Grouped:
    """The runs of a file, kept while it is the same: whoever claims them reads them next."""
    try:
        status = os.stat(path)
    except OSError as error:
        return _Grouped({}, (Problem(path, f"the file could not be read: {error.strerror or error}"),))
    return _grouped(path, rule, (status.st_size, status.st_mtime_ns, status.st_ino))


@lru_cache(maxsize=1)
def _grouped(path: str, rule_text: str, _mark: tuple[int, int, int]) -> _Grouped:
    rows = RowSource(path, rule_of(rule_text))
    takers: dict[str, Taker] = {}
    kept: dict[str, list[Points]] = {}
    n_nameless = n_held = 0
    step: str | None = None
    for row in read_mapped(rows):
        step = step_column(rows.rule, row) if step is None else step
        key = key_of(row.get(rows.rule.run))
        taker = takers.get(key)
        if taker is None:
            if not key or len(takers) == MAX_RUNS or n_held > MAX_HELD_POINTS:
                n_nameless += 1
                continue
            taker = takers[key] = Taker(rows.rule, step)
        taker.take(row)
        if taker.points.is_full:
            kept.setdefault(key, []).extend(held(taker.points))
            n_held += kept[key][-1].steps.size
    runs = {key: _run(path, taker, kept.get(key, []), rule_text) for key, taker in takers.items()}
    return _Grouped(runs, tuple(_whole(rows, n_nameless, takers)))


def _run(path: str, taker: Taker, kept: list[Points], rule_text: str) -> _Run:
    points = (*kept, *held(taker.points))
    facts = tuple(taker.facts(path))
    digest = hashlib.blake2b(rule_text.encode(), digest_size=8)
    for batch in points:
        digest.update(batch.metric.encode("utf-8", "replace"))
        for column in (batch.steps, batch.wall_s, batch.values):
            digest.update(column.tobytes())
    digest.update(repr(facts).encode("utf-8", "replace"))
    return _Run(points, facts, taker.n_rows, digest.hexdigest())


def _whole(rows: RowSource, n_nameless: int, takers: Mapping[str, Taker]) -> Iterator[Problem]:
    yield from rows.problems
    missing = list(missing_columns(rows)) if rows.columns else []
    yield from missing
    if n_nameless and not missing:
        too_many = f", as were those beyond {MAX_RUNS:,} runs" if len(takers) == MAX_RUNS else ""
        has = so_many(n_nameless, "row has", "rows have")
        was = "was" if n_nameless == 1 else "were"
        yield Problem(rows.path, f"{has} no run in column {rows.rule.run!r} and {was} left out{too_many}")


def example(folder: str) -> None:
    """A table of a program's own with its mapping, and one file with two runs, a row for each value."""
    with open(os.path.join(folder, MAPPING_NAME), "w", encoding="utf-8") as file:
        file.write(
            "files:\n"
            '  - match: "fit.csv"\n    step: t\n    params: [lr]\n    rename: {err: train/loss}\n'
            '  - match: "values.csv"\n    step: at\n    run: who\n    metric: what\n    value: is\n'
        )
    with open(os.path.join(folder, "fit.csv"), "w", encoding="utf-8") as file:
        file.write("t,lr,err\n0,0.1,0.9\n10,0.1,0.5\n20,0.1,nan\n")
    with open(os.path.join(folder, "values.csv"), "w", encoding="utf-8") as file:
        file.write("who,at,what,is\na,0,loss,0.9\na,0,acc,0.1\nb,0,loss,0.8\na,1,loss,0.5\nb,1,loss,inf\n")


ADAPTER = Adapter(
    name="mapping",
    claims=claims,
    read=read,
    example=example,
    formats="Any CSV, JSON lines, JSON or Parquet file, as your mapping file tells",
    files=(MAPPING_NAME,),
)
