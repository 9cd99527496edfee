"""Fingerprints: by what a run is known again after it was moved or renamed."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable

from mlbench.ingest.identity import Unit
from mlbench.model import Claim, Role
from mlbench.wire.files import read_head, read_whole

_HEAD_BYTES = 4096
_FRAME_BYTES = 16
"""A TFRecord's length, its checksum and the payload's."""
_N_RECORDS = 2
"""The file's version with the start time, and the first event: seeds started at one time differ in the latter."""


def fingerprint_of(unit: Unit, said: Callable[[], str]) -> str:
    """16 hexadecimal digits: hash of the oldest evidence; it does not change while the run goes on.

    The first event file's name and first records, else a tracker's own id with what it said at the start, else the
    head of a metric file, else the content of the first dump.

    Args:
        unit: the run.
        said: tells what its sources said once for all (start, host, parameters): a tracker numbers its runs from 1
            in every store.
    """
    claims = [member.claimed.claim for member in unit.members if not member.is_inherited]
    for role, evidence in (
        (Role.EVENTS, _first_records),
        (Role.TRACKER, lambda claim: _own_id(claim, said())),
        (Role.METRICS, _first_lines),
    ):
        chosen = sorted((claim for claim in claims if claim.role is role), key=lambda claim: claim.path)
        if chosen:
            return _digest(role.value.encode() + evidence(chosen[0]))
    dumps = sorted((claim for claim in claims if claim.role is Role.DUMP), key=lambda claim: claim.path)
    return _digest(b"dump" + _content(dumps[0])) if dumps else ""


def _digest(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=8).hexdigest()


def _first_records(claim: Claim) -> bytes:
    head = read_head(claim.path, _HEAD_BYTES)
    end = 0
    for _record in range(_N_RECORDS):
        end += _FRAME_BYTES + min(int.from_bytes(head[end : end + 8], "little"), _HEAD_BYTES)
    return os.fsencode(os.path.basename(claim.path)) + head[:end]


def _own_id(claim: Claim, said: str) -> bytes:
    if claim.part:  # unique everywhere; parameters may still come while the run goes on
        return os.fsencode(f"{claim.part}\n{said.partition(chr(10))[0]}")
    folder = os.path.basename(claim.run_folder)
    return os.fsencode(f"{folder}/{os.path.basename(claim.path)}\n") + said.encode("utf-8", "replace")


def _first_lines(claim: Claim) -> bytes:
    lines = read_head(claim.path, _HEAD_BYTES).split(b"\n")
    return os.fsencode(os.path.basename(claim.path)) + b"\n".join(lines[:2])


def _content(claim: Claim) -> bytes:
    """A dump's bytes; of a dump that is a folder, those of the files it follows."""
    paths = claim.follows or (claim.path,)
    return b"\0".join(_bytes_of(path) for path in paths)


def _bytes_of(path: str) -> bytes:
    try:
        return read_whole(path)
    except (OSError, ValueError):
        return b""
