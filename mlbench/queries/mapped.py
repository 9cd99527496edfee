"""What the user's mappings claimed: of each rule the files and the runs."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from mlbench.queries.reading import Reader
from mlbench.wire.mapping import MAPPING_NAME, FileMapping, load_mapping

_SOURCES = "SELECT path, root, len(run_ids) FROM source WHERE adapter = 'mapping' ORDER BY path"
_ROOTS = "SELECT DISTINCT root FROM source"


@dataclass(frozen=True, slots=True)
class MappedRule:
    """One rule of a mapping and what came of it."""

    mapping: str
    line: int
    match: str
    n_files: int
    n_runs: int
    is_left_alone: bool = False
    """Its files are not read, so that none are counted."""


def mapped_rules(reader: Reader, configured: str = "") -> tuple[MappedRule, ...]:
    """The rules of all mappings that hold somewhere below the known roots, in the order of their files.

    Args:
        reader: the catalog.
        configured: path of the mapping that the settings name, '' for none.
    """
    files: dict[str, set[str]] = {}
    held: dict[tuple[str, int], tuple[set[str], list[int]]] = {}
    for place, root, n_runs in reader.rows(_SOURCES):
        path = _file_of(place)
        mappings = [*_above(os.path.dirname(path), root), *([configured] if configured else ())]
        for mapping in mappings:
            files.setdefault(mapping, set())
        if (rule := next(_holding(path, mappings), None)) is not None:
            paths, runs = held.setdefault(rule, (set(), []))
            paths.add(path)
            runs.append(n_runs)
    counts = {rule: (len(paths), sum(runs)) for rule, (paths, runs) in held.items()}
    roots = (os.path.join(root, MAPPING_NAME) for (root,) in reader.rows(_ROOTS))
    known = {*files, *filter(os.path.isfile, roots), *([configured] if configured else ())}
    return tuple(_told(map(load_mapping, sorted(known)), counts))


def _told(mappings: Iterable[FileMapping], counts: Mapping[tuple[str, int], tuple[int, int]]) -> Iterator[MappedRule]:
    """Each rule, with the files and runs that are counted for it."""
    for mapping in mappings:
        for line, rule in mapping.rules:
            n_files, n_runs = counts.get((mapping.path, line), (0, 0))
            yield MappedRule(mapping.path, line, rule.match, n_files, n_runs, rule.is_left_alone)


def _holding(path: str, mappings: Iterable[str]) -> Iterator[tuple[str, int]]:
    """The mapping and the line of the rule for a file, the strongest first."""
    for mapping in mappings:
        found = load_mapping(mapping).rule_for(path)
        if found is not None:
            yield mapping, found[0]


def _file_of(place: str) -> str:
    """The file of a source; the run in it stands behind `#`."""
    while "#" in place and not os.path.exists(place):
        place = place.rpartition("#")[0]
    return place


def _above(folder: str, root: str) -> Iterator[str]:
    """Mappings in a folder and above it, up to the root, the nearest first."""
    while True:
        path = os.path.join(folder, MAPPING_NAME)
        if os.path.isfile(path):
            yield path
        above = os.path.dirname(folder)
        if folder in (root, above):
            return
        folder = above
