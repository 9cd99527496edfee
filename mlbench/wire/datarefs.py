"""How texts name versions of data: lakeFS addresses, Pachyderm's variables and paths, Dolt databases, feature views.

Parameters, command lines and recorded environments hold such names; nothing is fetched. Links:
https://docs.lakefs.io/latest/understand/model/, https://docs.pachyderm.com/latest/reference/environment-variables/
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping

from mlbench.dataclass import dataclass
from mlbench.wire.files import read_head

_LAKEFS = re.compile(r"lakefs://([a-z0-9][a-z0-9-]{2,62})/([\w.~^@{}-]+)(?:/([^\s'\",;)]*))?")
_LAKECTL = re.compile(r"^(src|at_head):[ \t]*[\"']?([^\"'\n]*?)[\"']?[ \t]*$", re.MULTILINE)
_COMMIT_ID = re.compile(r"[0-9a-f]{64}|[0-9a-f]{16,40}")
_PFS = re.compile(r"(?<![\w/])/pfs/([\w.-]+)(?:/|$|(?=[\s'\",;)]))")
_PACH_OLD = re.compile(r"PACH_(\w+)_COMMIT_ID")
MAX_LEVELS = 6
"""Folders above data that are asked for lakectl's file."""
_DOLT_HASH = re.compile(r"[0-9a-v]{32}")


@dataclass(frozen=True, slots=True)
class DataRef:
    """One version of data that a text names."""

    system: str
    name: str
    version: str
    """'' where only the data is named."""
    is_pinned: bool
    uri: str = ""


def refs_in_text(text: str) -> Iterator[DataRef]:
    """LakeFS addresses and Pachyderm's paths in a text; a branch is a name that moves."""
    for match in _LAKEFS.finditer(text):
        repository, ref, path = match[1], match[2], match[3] or ""
        name = f"{repository}/{path}".rstrip("/")
        yield DataRef("lakefs", name, ref, bool(_COMMIT_ID.fullmatch(ref)), match[0])
    for match in _PFS.finditer(text):
        if match[1] != "out":
            yield DataRef("pachyderm", match[1], "", is_pinned=False, uri=f"/pfs/{match[1]}")


def refs_in_environment(variables: Mapping[str, str]) -> Iterator[DataRef]:
    """What Pachyderm tells a worker: one version for each input's `_COMMIT`, and the pipeline's own commits."""
    if not any(name.startswith(("PACH_", "PPS_")) for name in variables):
        return
    for name, value in variables.items():
        if (match := _PACH_OLD.fullmatch(name)) and match[1] != "OUTPUT":
            yield DataRef("pachyderm", match[1].lower(), value, is_pinned=True)
        elif name.endswith("_COMMIT") and not name.startswith(("PACH_", "PPS_")) and value:
            yield DataRef("pachyderm", name.removesuffix("_COMMIT"), value, is_pinned=True)


def lakefs_local(folder: str) -> DataRef | None:
    """What `lakectl local` left in a folder or one above: `.lakefs_ref.yaml` with `src` and `at_head`."""
    place = folder
    for _ in range(MAX_LEVELS):
        if head_bytes := read_head(os.path.join(place, ".lakefs_ref.yaml"), 4096):
            return _lakefs_ref(head_bytes, os.path.relpath(folder, place))
        place = os.path.dirname(place)
    return None


def _lakefs_ref(head_bytes: bytes, below: str) -> DataRef | None:
    text = head_bytes.decode("utf-8", "replace")
    told = dict(_LAKECTL.findall(text))
    address = _LAKEFS.match(told.get("src", ""))
    if address is None:
        return None
    inner = "" if below == os.curdir else os.fsencode(below).decode("utf-8", "replace")
    name = "/".join(part.strip("/") for part in (address[1], address[3] or "", inner) if part)
    head = told.get("at_head", "")
    return DataRef("lakefs", name, head or address[2], is_pinned=bool(_COMMIT_ID.fullmatch(head)), uri=told["src"])


def dolt_database(folder: str) -> DataRef | None:
    """The state of a Dolt database: the root hash of its manifest, which is no commit, and the branch at hand."""
    manifest = read_head(os.path.join(folder, ".dolt", "noms", "manifest"), 65536).decode("utf-8", "replace")
    fields = manifest.strip().split(":")
    if len(fields) < 5 or fields[0] not in {"4", "5"} or not _DOLT_HASH.fullmatch(fields[3]):
        return None
    try:
        state = json.loads(read_head(os.path.join(folder, ".dolt", "repo_state.json"), 65536) or b"{}")
        head = state.get("head") if isinstance(state, dict) else ""
    except (ValueError, RecursionError):
        head = ""
    branch = str(head or "").removeprefix("refs/heads/")
    return DataRef("dolt", os.path.basename(folder) or folder, fields[3], is_pinned=True, uri=branch)
