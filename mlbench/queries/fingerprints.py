"""The splits of TFX's examples by the fingerprints in ML-Metadata: how many files and bytes, and whether equal."""

from __future__ import annotations

import re
from collections.abc import Sequence

from mlbench.dataclass import dataclass
from mlbench.queries.reading import Reader
from mlbench.wire.listings import Entry

_DIGESTS = """SELECT run_id, digest FROM artifact
WHERE starts_with(digest, 'split:') AND run_id IN (SELECT unnest(CAST(? AS VARCHAR[])))"""
_SPLIT = re.compile(
    r"split:([^,\n]+),num_files:(\d{1,9}),total_bytes:(\d{1,18}),(xor_checksum:\d+(?:,sum_checksum:\d+)?)"
)


@dataclass(frozen=True, slots=True)
class Splits:
    """The examples of a run."""

    n_files: int
    entries: dict[str, Entry]
    """By split."""


def splits_of(reader: Reader, run_ids: Sequence[str]) -> dict[str, Splits]:
    """Of the runs that have one set of examples; which of several a version means is recorded nowhere."""
    found: dict[str, set[str]] = {}
    for run_id, digest in reader.rows(_DIGESTS, [list(run_ids)]):
        found.setdefault(run_id, set()).add(digest)
    told = {run_id: parse_splits(next(iter(digests))) for run_id, digests in found.items() if len(digests) == 1}
    return {run_id: splits for run_id, splits in told.items() if splits.entries}


def parse_splits(digest: str) -> Splits:
    """`split:train,num_files:3,total_bytes:1987,xor_checksum:...,sum_checksum:...`, a line for each split."""
    parts = _SPLIT.findall(digest)
    entries = {split: Entry(f"{n_files} {size} {checksum}", int(size)) for split, n_files, size, checksum in parts}
    return Splits(sum(int(n_files) for _split, n_files, *_rest in parts), entries)
