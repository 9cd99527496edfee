"""From entries to the words that hold, whatever the order in which they came and however often."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import field, replace
from typing import NamedTuple

from mlbench.dataclass import dataclass
from mlbench.journal.entries import Entry, read_entries
from mlbench.model import Problem
from mlbench.paths import Home


class Note(NamedTuple):
    """A note as it stands; several of one run are edits that did not know of each other, or separate notes."""

    body: str
    author: str
    at_s: float
    """Unix seconds, UTC."""
    note_id: str


@dataclass(frozen=True, slots=True)
class Words:
    """Everything the user said, as it holds now. Text is as it was typed: clean it before it is shown."""

    tags: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By run key, sorted."""
    notes: Mapping[str, tuple[Note, ...]] = field(default_factory=dict)
    """By run key, oldest first."""
    names: Mapping[str, str] = field(default_factory=dict)
    archived: frozenset[str] = frozenset()
    baselines: Mapping[str, str] = field(default_factory=dict)
    """Scope to run key."""
    goals: Mapping[str, str] = field(default_factory=dict)
    """Metric to 'min' or 'max'."""
    primary: Mapping[str, str] = field(default_factory=dict)
    """Scope to metric."""
    views: Mapping[str, str] = field(default_factory=dict)
    roots: tuple[str, ...] = ()
    """Paths that were ingested, in order of first mention; bytes that are not UTF-8 are surrogate escapes."""
    fingerprints: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Fingerprint to the run keys that were said with it."""
    problems: tuple[Problem, ...] = ()


def replay(home: Home, place: Mapping[str, str] = {}) -> Words:
    """All words of a home as they hold now. Damaged lines are left out and told in `problems`; `place` as in `fold`."""
    entries, problems = read_entries(home.journal)
    words = fold(entries, place)
    return replace(words, problems=problems + words.problems)


@dataclass(slots=True)
class _RunWords:
    """What holds for one run while the journal is folded."""

    tags: set[str] = field(default_factory=set)
    notes: dict[str, Note] = field(default_factory=dict)
    replaced: set[str] = field(default_factory=set)
    """Note ids; kept, since a note that was replaced may come later in the order of a broken clock."""
    name: str = ""
    is_archived: bool = False


@dataclass(slots=True)
class _Folded:
    runs: dict[str, _RunWords] = field(default_factory=dict)
    baselines: dict[str, str] = field(default_factory=dict)
    goals: dict[str, str] = field(default_factory=dict)
    primary: dict[str, str] = field(default_factory=dict)
    views: dict[str, str] = field(default_factory=dict)
    roots: dict[str, None] = field(default_factory=dict)
    fingerprints: dict[str, set[str]] = field(default_factory=dict)
    unknown: dict[str, int] = field(default_factory=dict)

    def of(self, entry: Entry) -> list[_RunWords]:
        return [self.runs.setdefault(ref.key, _RunWords()) for ref in entry.runs]


def fold(entries: Iterable[Entry], place: Mapping[str, str] = {}) -> Words:
    """The words that hold. Pure; neither order nor repetition of the entries matters.

    Args:
        entries: all that was said.
        place: for the key of a run that moved, its key now: what was said of either is one history of one run.
    """
    history = history_of(_placed(entry, place) for entry in entries) if place else history_of(entries)
    undone = undone_of(history)
    folded = _Folded()
    for entry in history:
        if entry.op == "undo" or entry.id in undone:
            continue
        if entry.op not in _FOLDS:
            folded.unknown[entry.op] = folded.unknown.get(entry.op, 0) + 1
            continue
        for ref in entry.runs:
            if ref.fingerprint:
                folded.fingerprints.setdefault(ref.fingerprint, set()).add(ref.key)
        _FOLDS[entry.op](folded, entry)
    return _words(folded)


def _placed(entry: Entry, place: Mapping[str, str]) -> Entry:
    runs = tuple(ref._replace(key=place.get(ref.key, ref.key)) for ref in entry.runs)
    key = place.get(entry.key, entry.key) if entry.op == "adopt" else entry.key
    return entry._replace(runs=runs, key=key)


def history_of(entries: Iterable[Entry]) -> list[Entry]:
    """In the order of the clock, each (actor, number) once."""
    by_id: dict[tuple[str, int], Entry] = {}
    for entry in sorted(set(entries)):
        by_id.setdefault((entry.actor, entry.number), entry)
    return list(by_id.values())


def undone_of(history: list[Entry]) -> set[str]:
    """Ids of entries that do not hold; the last undo speaks first, so that an undo may itself be undone."""
    undone: set[str] = set()
    for entry in reversed(history):
        if entry.op == "undo" and entry.id not in undone:
            undone.update(entry.remove)
    return undone


def _at_s(note: Note) -> float:
    return note.at_s


def _words(folded: _Folded) -> Words:
    runs = sorted(folded.runs.items())
    return Words(
        tags={key: tuple(sorted(run.tags)) for key, run in runs if run.tags},
        notes={key: tuple(sorted(run.notes.values(), key=_at_s)) for key, run in runs if run.notes},
        names={key: run.name for key, run in runs if run.name},
        archived=frozenset(key for key, run in runs if run.is_archived),
        baselines=folded.baselines, goals=folded.goals, primary=folded.primary, views=folded.views,
        roots=tuple(folded.roots),
        fingerprints={print_: frozenset(keys) for print_, keys in folded.fingerprints.items()},
        problems=tuple(
            Problem("", f"the journal holds {n} entries '{op}', which this version does not know; they wait untouched",
                    hint="A newer mlbench wrote them: update this one")
            for op, n in sorted(folded.unknown.items())
        ),
    )  # fmt: skip


def _fold_tag(folded: _Folded, entry: Entry) -> None:
    for run in folded.of(entry):
        run.tags = (run.tags - set(entry.remove)) | set(entry.add)


def _fold_note(folded: _Folded, entry: Entry) -> None:
    for run in folded.of(entry):
        run.replaced.update(entry.remove)
        if entry.text:
            run.notes[entry.id] = Note(entry.text, entry.author, entry.us / 1e6, entry.id)
        run.notes = {note_id: note for note_id, note in run.notes.items() if note_id not in run.replaced}


def _fold_name(folded: _Folded, entry: Entry) -> None:
    for run in folded.of(entry):
        run.name = entry.text


def _fold_archive(folded: _Folded, entry: Entry) -> None:
    for run in folded.of(entry):
        run.is_archived = entry.op == "archive"


def _fold_adopt(folded: _Folded, entry: Entry) -> None:
    """A moved run takes along what was said of it; what is said of the old place later is of another run."""
    old = folded.runs.get(entry.key, _RunWords())
    for ref, run in zip(entry.runs, folded.of(entry), strict=True):
        if ref.key == entry.key:
            continue
        run.tags |= old.tags
        run.replaced |= old.replaced
        both = old.notes | run.notes
        run.notes = {note_id: note for note_id, note in both.items() if note_id not in run.replaced}
        run.name = run.name or old.name
        run.is_archived |= old.is_archived
        folded.baselines = {scope: ref.key if key == entry.key else key for scope, key in folded.baselines.items()}
        folded.runs.pop(entry.key, None)


def _fold_baseline(folded: _Folded, entry: Entry) -> None:
    _set(folded.baselines, entry.key, entry.runs[0].key if entry.runs else "")


def _fold_root(folded: _Folded, entry: Entry) -> None:
    if entry.op == "root":
        folded.roots.setdefault(entry.text)
    else:
        folded.roots.pop(entry.text, None)


def _set(mapping: dict[str, str], key: str, value: str) -> None:
    """The last writer wins; '' takes the key away."""
    mapping.pop(key, None)
    if value:
        mapping[key] = value


_FOLDS: Mapping[str, Callable[[_Folded, Entry], None]] = {
    "tag": _fold_tag,
    "note": _fold_note,
    "name": _fold_name,
    "archive": _fold_archive,
    "unarchive": _fold_archive,
    "adopt": _fold_adopt,
    "baseline": _fold_baseline,
    "goal": lambda folded, entry: _set(folded.goals, entry.key, entry.text if entry.text in {"min", "max"} else ""),
    "primary": lambda folded, entry: _set(folded.primary, entry.key, entry.text),
    "view": lambda folded, entry: _set(folded.views, entry.key, entry.text),
    "root": _fold_root,
    "root_removed": _fold_root,
}
