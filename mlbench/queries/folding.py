"""Which runs repeat each other: equal in all but seeds, ranks, hosts, times and places. Nothing needs configuring.

Two runs are of one setting if they mean the same by every parameter that is no seed and no label, came from the same
commit (unless that is only a guess) and the same versions of the data, and belong to one project. Runs without any
parameter are of one setting if their names differ in nothing but a number, a date or a hash.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, TypeAlias

from mlbench.dataclass import dataclass
from mlbench.queries.answers import Column, Value
from mlbench.queries.chosen import differing_params, only_labels, rank_of
from mlbench.queries.columns import param_spec, param_value
from mlbench.queries.fields import CODE_CERTAINTY
from mlbench.queries.meaning import Typed, meanings_of
from mlbench.queries.reading import Reader
from mlbench.queries.tree import quote_name

if TYPE_CHECKING:
    from mlbench.queries.answers import DiffAnswer

_THOSE = "run_id IN (SELECT unnest(CAST(? AS VARCHAR[])))"
_VALUES = f"""SELECT run_id, key, raw, type, num, txt FROM param
WHERE is_effective AND {_THOSE} AND key IN (SELECT unnest(CAST(? AS VARCHAR[])))"""
_SPOKEN = f"""SELECT run_id, list(DISTINCT key) FROM param WHERE is_effective AND {_THOSE} GROUP BY run_id"""
_COMMITS = f"""SELECT run_id, commit_id FROM code WHERE how <> 'guess' AND commit_id <> '' AND {_THOSE}
ORDER BY {CODE_CERTAINTY}"""
_VERSIONS = f"SELECT DISTINCT run_id, name, version FROM data_version WHERE {_THOSE} ORDER BY name, version"
SHORT_COMMIT = 10
"""Digits by which people know a commit; filters take them, too."""
_NAMES = f"SELECT run_id, name, project FROM run WHERE {_THOSE}"

_SEED = re.compile(
    r"(?:.*_)?(?:seed|seeds|random_state|rng)(?:_.*)?"
    r"|(?:.*_)?(?:rank|local_rank|node_rank|world_rank|global_rank)"
    r"|(?:host|hostname|host_name|node|nodename|master_addr|master_port|port|pid|device_id|gpu_id)"
    r"|(?:auto_)?resume(?:_from|_path|_checkpoint|_from_checkpoint)?"  # a training that went on is the same training
)
LABEL_WORDS = frozenset((
    "name", "run_name", "exp_name", "experiment_name", "job_name", "logdir", "log_dir", "log_path", "log_folder",
    "output_dir", "out_dir", "outdir", "output", "save_dir", "save_path", "work_dir", "workdir", "run_dir",
    "results_dir", "result_dir", "checkpoint_dir", "ckpt_dir", "exp_id", "run_id", "id", "timestamp", "date", "time",
    "tensorboard_log", "tensorboard_dir", "logging_dir", "default_root_dir", "start_time", "uuid", "run_tag",
))  # fmt: skip
"""Parameters that only say what a run is called or where it writes."""
_REPEATED = re.compile(
    r"(?<![a-z])(seed|rep|repeat|run|trial|fold|version|s|v)[-_=]?\d+(?!\d)"  # seed3, run_2, s0
    r"|(?:19|20)\d\d[-_.]?[01]\d[-_.]?[0-3]\d(?:[-_T ]*[0-2]\d[-_.:]?[0-5]\d(?:[-_.:]?[0-5]\d)?)?"  # a date, a time
    r"|(?<![0-9a-z])(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{8,}(?![0-9a-z])"  # a hash
    r"|(?:(?<=[-_./])|^)\d+$|(?<=/)\d+(?=/)",  # the number at its end
    re.IGNORECASE,
)


def alike_in(diff: DiffAnswer) -> tuple[tuple[str, ...], dict[tuple[str | None, ...], list[int]]]:
    """The settings of a comparison without asking the catalog, in the order of their first runs.

    Returns:
        What differs that is neither a seed nor a place, commits and data with it; and by the raw texts of these the
        places of the runs.
    """
    keys = [param for param in diff.params if param.differs and not is_seed(param.key) and not is_place(param.key)]
    facts = [fact for fact in diff.code if fact.differs and fact.key == "commit"]
    facts += [fact for fact in diff.data if fact.differs]
    texts = [[cell.raw for cell in param.cells] for param in keys] + [list(fact.cells) for fact in facts]
    found: dict[tuple[str | None, ...], list[int]] = {}
    for index in range(len(diff.runs)):
        found.setdefault(tuple(column[index] for column in texts), []).append(index)
    return (*(param.key for param in keys), *(fact.key for fact in facts)), found


@dataclass(frozen=True, slots=True)
class Fold:
    """The runs of one setting."""

    run_ids: tuple[str, ...]
    """In the order in which they were given."""
    values: tuple[Value, ...]
    """For each column of the answer; None where the runs have no such key."""


@dataclass(frozen=True, slots=True)
class Way:
    """Which parameters keep runs apart that would else repeat each other."""

    ignored: tuple[str, ...]
    """To be set aside, all of them together."""
    sizes: tuple[int, ...]
    """How many runs each setting then has; one of them several."""


@dataclass(frozen=True, slots=True)
class Folds:
    """The settings of some runs."""

    columns: tuple[Column, ...]
    """What tells the settings apart: parameters, then code, data, project and name where these do."""
    folds: tuple[Fold, ...]
    """In the order of their first runs."""
    set_aside: tuple[str, ...] = ()
    """Parameters that differ and were taken for seeds, names and places."""
    along: tuple[str, ...] = ()
    """What else differs, always together with the columns."""
    way: Way | None = None
    """Where no setting has several runs: how to have some with the fewest parameters ignored; None where none can."""

    @property
    def is_repeated(self) -> bool:
        """Whether any setting has several runs."""
        return any(len(fold.run_ids) > 1 for fold in self.folds)


def is_seed(key: str) -> bool:
    """Whether a parameter makes a repetition and no other setting, by its name: a seed, a rank, a host."""
    return _SEED.fullmatch(_last_word(key)) is not None


def is_place(key: str) -> bool:
    """Whether a parameter only names a run, its time or where it writes, by its name."""
    return _last_word(key) in LABEL_WORDS


def _last_word(key: str) -> str:
    last = key.rpartition(".")[2].rpartition("/")[2]
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", last).lower().replace("-", "_")


def name_pattern(name: str) -> str:
    """The name with `*` for what makes a repetition: `ppo/Hopper_3` is `ppo/Hopper_*`."""
    return _REPEATED.sub(lambda found: f"{found[1]}*" if found[1] else "*", name)


def fold_runs(reader: Reader, run_ids: Sequence[str], *, ignore: Sequence[str] = ()) -> Folds:
    """The settings of these runs.

    Args:
        reader: the catalog.
        run_ids: each once.
        ignore: parameters (or globs of them) that shall make no other setting, either.
    """
    ids = list(run_ids)
    kept, aside = _setting_keys(reader, ids, ignore)
    values, meanings = param_meanings(reader, ids, kept)
    facts = _apart(run_facts(reader, ids), ids)
    facts += _apart([_names(reader, ids, {*aside, *kept}, has_keys=set(values))], ids)
    columns = [Column(param_spec(key), key, "param") for key in kept] + [column for column, _texts in facts]
    found: dict[tuple[object, ...], list[str]] = {}
    for run_id in ids:
        mine = meanings.get(run_id, {})
        key = (*(mine.get(key) for key in kept), *(by_run.get(run_id) for _column, by_run in facts))
        found.setdefault(key, []).append(run_id)
    folds = [
        Fold(
            tuple(members),
            (
                *(values.get(members[0], {}).get(key) for key in kept),
                *(by_run.get(members[0]) for _column, by_run in facts),
            ),
        )
        for members in found.values()
    ]
    return _told_apart(Folds(tuple(columns), tuple(folds), tuple(aside)))


def _setting_keys(reader: Reader, ids: Sequence[str], ignore: Sequence[str]) -> tuple[list[str], list[str]]:
    """The differing parameters that make a setting, and those that do not."""
    kept: list[str] = []
    aside: list[str] = []
    found = differing_params(reader, ids) if len(ids) > 1 else []
    for param in sorted(found, key=lambda param: rank_of(param, len(ids))):
        is_aside = is_seed(param.key) or is_place(param.key) or only_labels(param)
        is_ignored = any(fnmatchcase(param.key, pattern.removeprefix("params.")) for pattern in ignore)
        (aside if is_aside or is_ignored else kept).append(param.key)
    return kept, sorted(aside)


def param_meanings(
    reader: Reader, ids: Sequence[str], keys: Sequence[str]
) -> tuple[dict[str, dict[str, Value]], dict[str, dict[str, object]]]:
    """Values (a null as its source spells it, since None is a missing one) and meanings, by run and key."""
    values: dict[str, dict[str, Value]] = {}
    typed: dict[str, dict[str, Typed]] = {}
    for run_id, key, raw, kind, number, text in reader.rows(_VALUES, [list(ids), list(keys)]) if keys else ():
        value = param_value(kind, number, text)
        values.setdefault(run_id, {})[key] = (raw or "") if value is None else value
        typed.setdefault(key, {})[run_id] = (kind, number, text)
    meanings: dict[str, dict[str, object]] = {}
    for key, by_run in typed.items():
        for run_id, meaning in zip(by_run, meanings_of(list(by_run.values())), strict=True):
            meanings.setdefault(run_id, {})[key] = meaning
    return values, meanings


Fact: TypeAlias = "tuple[Column, dict[str, str]]"
"""A column and its texts by run."""


def run_facts(reader: Reader, ids: Sequence[str]) -> list[Fact]:
    """The commits (the first digits; no guesses), the data versions and the projects of runs."""
    commits: dict[str, str] = {}
    for run_id, commit in reader.rows(_COMMITS, [list(ids)]):
        commits.setdefault(run_id, commit[:SHORT_COMMIT])
    data: dict[str, dict[str, str]] = {}
    for run_id, name, version in reader.rows(_VERSIONS, [list(ids)]):
        by_run = data.setdefault(name, {})
        by_run[run_id] = f"{by_run[run_id]}, {version}" if run_id in by_run else version
    projects = {run_id: project for run_id, _name, project in reader.rows(_NAMES, [list(ids)]) if project}
    versions = [(Column(quote_name("data", name), f"data.{name}", "field"), by_run) for name, by_run in data.items()]
    return [(Column("git.commit", "git.commit", "field"), commits), *versions,
            (Column("project", "project", "field"), projects)]  # fmt: skip


def _names(reader: Reader, ids: Sequence[str], differing: set[str], *, has_keys: set[str]) -> Fact:
    """The patterns of the names of those runs that no parameter describes."""
    spoken = _speaking(reader, ids, differing) | has_keys
    rows = reader.rows(_NAMES, [list(ids)])
    return Column("run.name", "name", "field"), {
        run_id: name_pattern(name or "") for run_id, name, _project in rows if run_id not in spoken
    }


def _apart(facts: Sequence[Fact], ids: Sequence[str]) -> list[Fact]:
    """Those in which the runs differ."""
    return [(column, by_run) for column, by_run in facts if len({by_run.get(run_id) for run_id in ids}) > 1]


def _speaking(reader: Reader, ids: Sequence[str], differing: set[str]) -> set[str]:
    """The runs that have a parameter which is neither a seed nor a label: their names need not say what they are."""
    return {
        run_id
        for run_id, keys in reader.rows(_SPOKEN, [list(ids)])
        if any(key not in differing and not is_seed(key) and not is_place(key) for key in keys)
    }


def _told_apart(folds: Folds) -> Folds:
    """With as few columns as tell the settings apart, greedily; parameters first, of equals the one that matters more.

    What else differs always changes together with these: it is named in `along`.
    """
    n_params = sum(column.kind == "param" for column in folds.columns)
    batches = (range(n_params), range(n_params, len(folds.columns)))
    places = telling_places([fold.values for fold in folds.folds], batches)
    kept = tuple(Fold(fold.run_ids, tuple(fold.values[place] for place in places)) for fold in folds.folds)
    along = [column.title for place, column in enumerate(folds.columns) if place not in places]
    way = None if folds.is_repeated else _way_to_repeat(folds, places)
    return Folds(tuple(folds.columns[place] for place in places), kept, folds.set_aside, tuple(along), way)


def _way_to_repeat(folds: Folds, places: Sequence[int]) -> Way | None:
    """Of the parameters among the columns that tell apart the one that takes the fewest others along."""
    ranks = [_ranks([fold.values[place] for fold in folds.folds]) for place in range(len(folds.columns))]
    found: list[tuple[int, int, Way]] = []
    for place in places:
        others = list(zip(*(ranks[other] for other in places if other != place), strict=True)) or [()] * len(ranks[0])
        sizes = Counter(others)
        # What varies among runs that are equal in all other columns changes with this one alone.
        varying = [other for other, mine in enumerate(ranks) if len(set(zip(others, mine, strict=True))) > len(sizes)]
        if len(sizes) < len(folds.folds) and all(folds.columns[other].kind == "param" for other in varying):
            names = [place, *(other for other in varying if other != place)]
            ignored = tuple(folds.columns[other].title for other in names)
            found.append((len(ignored), max(ranks[place]), Way(ignored, tuple(sizes.values()))))
    return min(found, key=lambda way: way[:2], default=(0, 0, None))[2]


def telling_places(rows: Sequence[Sequence[Value]], batches: Iterable[Iterable[int]]) -> list[int]:
    """The places of as few values as tell different rows apart, found greedily, in rising order.

    Args:
        rows: of equal length.
        batches: places to take from, those of an earlier batch first; of equally good ones the first.
    """
    places: list[int] = []
    labels: list[tuple[int, ...]] = [()] * len(rows)
    for batch in batches:
        candidates = list(batch)
        ranks = {place: _ranks([row[place] for row in rows]) for place in candidates}
        while candidates:
            n_apart = len(set(labels))
            counts = {place: len(set(zip(labels, ranks[place], strict=True))) for place in candidates}
            best = max(candidates, key=lambda place: (counts[place], -place))
            if counts[best] == n_apart:
                break
            places.append(best)
            candidates.remove(best)
            labels = [(*label, rank) for label, rank in zip(labels, ranks[best], strict=True)]
    return sorted(places)


def _ranks(values: Sequence[Value]) -> list[int]:
    """The same number for the same value; true is not 1."""
    numbers: dict[object, int] = {}
    return [numbers.setdefault((isinstance(value, bool), str(value)), len(numbers)) for value in values]
