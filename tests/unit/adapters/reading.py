"""How the tests of adapters list folders, claim, read and look at what was read."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from mlbench.model import Adapter, Claim, Cursor, Fact, Listing, Param, Points, Problem, RunField, Source
from tests.facts import apart
from tests.paths import FORMATS

Series = dict[str, tuple[int, int, int, float]]
"""By metric: number of points, first step, last step, last value."""


def listings(root: str | Path) -> Iterator[Listing]:
    """Every folder of a tree, as the scan would see it."""
    for folder, folders, files in os.walk(root):
        folders.sort()
        yield Listing(folder, tuple(sorted(files)), tuple(folders))


def claims_below(adapter: Adapter, root: str | Path) -> list[Claim]:
    return [claim for listing in listings(root) for claim in adapter.claims(listing)]


def read(adapter: Adapter, claim: Claim) -> list[Fact]:
    return list(apart(adapter.read(Source(claim.path, claim.run_folder, claim.follows, claim.part, claim.rule), None)))


def read_only_claim(adapter: Adapter, root: str | Path) -> list[Fact]:
    """The facts of a tree in which there is one source."""
    (claim,) = claims_below(adapter, root)
    return read(adapter, claim)


def series_of(facts: list[Fact]) -> Series:
    series: Series = {}
    for fact in facts:
        if isinstance(fact, Points):
            before = series.get(fact.metric)
            n, first = (before[0], before[1]) if before else (0, int(fact.steps[0]))
            series[fact.metric] = (n + len(fact.steps), first, int(fact.steps[-1]), float(fact.values[-1]))
    return series


def points_of(facts: list[Fact], metric: str) -> list[tuple[int, float]]:
    """Steps and values of one metric, in order."""
    batches = [fact for fact in facts if isinstance(fact, Points) and fact.metric == metric]
    return [
        (int(step), float(value)) for batch in batches for step, value in zip(batch.steps, batch.values, strict=True)
    ]


def params_of(facts: list[Fact]) -> dict[str, object]:
    return {fact.key: fact.value for fact in facts if isinstance(fact, Param)}


def fields_of(facts: list[Fact]) -> dict[str, str | float]:
    return {fact.name: fact.value for fact in facts if isinstance(fact, RunField)}


def problems_of(facts: list[Fact]) -> list[str]:
    """Every Problem as `file: what`, with its place."""
    problems = [fact for fact in facts if isinstance(fact, Problem)]
    return [
        f"{os.path.basename(fact.path)}: {fact.what}{f' ({fact.place})' if fact.place else ''}" for fact in problems
    ]


def cursor_of(facts: list[Fact]) -> Cursor:
    cursor = facts[-1]
    assert isinstance(cursor, Cursor)
    return cursor


def write(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    """Files with their folders; names with slashes."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def expected(format_name: str) -> dict[str, object]:
    """What expected.json says of a folder of sample files."""
    found = json.loads((FORMATS / "expected.json").read_text(encoding="utf-8"))[format_name]
    assert isinstance(found, dict)
    return found


def assert_series(facts: list[Fact], wanted: Mapping[str, Mapping[str, float]]) -> None:
    """Every wanted series is there with the same number of points, steps and last value."""
    found = series_of(facts)
    for metric, want in wanted.items():
        assert found[metric] == (want["n"], want["first_step"], want["last_step"], want["last_value"]), metric


def assert_params(facts: list[Fact], wanted: Mapping[str, Mapping[str, object]]) -> None:
    """Every wanted parameter is there, equal in value and type."""
    found = params_of(facts)
    for key, want in wanted.items():
        assert found[key] == want["value"], key
        name = type(found[key]).__name__
        assert {"NoneType": "null", "dict": "map"}.get(name, name) == want["type"], key
