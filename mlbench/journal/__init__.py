"""What the user said: tags, notes, names, baselines, archive marks, goals, views, roots. Append-only, precious.

One file per process, `YYYYMMDD-<host>-<pid>-<actor>.jsonl`, each line `crc32 json`. A line is written by one `write`
and is on the disk before the call returns; no word waits for another and nothing is ever overwritten, so that a
journal may lie on NFS and be merged by copying files. The exceptions rewrite whole files under their names: merging
many files into one, and forgetting (see `rewriting`). Entries are ordered by a hybrid logical clock (Kulkarni et al.,
"Logical Physical Clocks", 2014): what was said after having seen another word sorts after it, whatever the machines'
clocks say.
"""

from mlbench.journal.appending import Journal, describe, open_journal
from mlbench.journal.entries import Entry, RunRef, export_lines, read_entries, stamp
from mlbench.journal.folding import Note, Words, fold, replay
from mlbench.journal.forgetting import NOBODY, Person, forget_person, forget_runs, places_of
from mlbench.journal.rewriting import Merged, Rewritten, compact, compact_if_grown
from mlbench.journal.saying import Said, tags_said

__all__ = [
    "NOBODY", "Entry", "Journal", "Merged", "Note", "Person", "Rewritten", "RunRef", "Said", "Words", "compact",
    "compact_if_grown", "describe", "export_lines", "fold", "forget_person", "forget_runs", "open_journal",
    "places_of", "read_entries", "replay", "stamp", "tags_said",
]  # fmt: skip
