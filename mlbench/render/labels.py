"""Short names of runs that tell them apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from mlbench.render.cells import fit_middle
from mlbench.render.numbers import value_text
from mlbench.safe import Safe, safe, text_of_path

if TYPE_CHECKING:
    from mlbench.queries.answers import Column, RunHead, Value
    from mlbench.queries.folding import Folds

BASELINE_MARK = "◆"
MOST_KEY_CELLS = 12
"""Of a parameter's name in the label of a setting."""


def run_labels(heads: Sequence[RunHead]) -> tuple[Safe, ...]:
    """The name of each run; of runs with one name, as much of the path as tells them apart, else the id."""
    labels = [head.name for head in heads]
    for n_parts in range(1, 5):
        for index in _repeated(labels):
            labels[index] = _tail(heads[index], n_parts)
    for index in _repeated(labels):
        labels[index] = f"{heads[index].name} ({heads[index].run_id[:8]})"
    return tuple(safe(label) for label in labels)


def short_labels(heads: Sequence[RunHead]) -> tuple[Safe, ...]:
    """`run_labels` for headings and legends: without the folders that all of them begin with.

    What is left has a letter in it, so that runs `results/walker/0` and `results/walker/1` are `walker/0` and
    `walker/1`.
    """
    labels = run_labels(heads)
    parts = [label.split("/") for label in labels]
    n_common = _common(parts)
    while n_common and not all(any(map(str.isalpha, "/".join(names[n_common:]))) for names in parts):
        n_common -= 1
    return tuple(safe("/".join(names[n_common:])) for names in parts)


def _common(parts: Sequence[Sequence[str]]) -> int:
    """How many first parts are the same in all, of two at least; the last part of each is never counted."""
    if len(parts) < 2:
        return 0
    n_common = 0
    for column in zip(*(names[:-1] for names in parts), strict=False):
        if len(set(column)) > 1:
            break
        n_common += 1
    return n_common


def label_map(heads: Iterable[RunHead]) -> Mapping[str, Safe]:
    """`short_labels` by run id; a run may come several times."""
    unique = list({head.run_id: head for head in heads}.values())
    return dict(zip((head.run_id for head in unique), short_labels(unique), strict=True))


def _repeated(labels: Sequence[str]) -> list[int]:
    counts = Counter(labels)
    return [index for index, label in enumerate(labels) if counts[label] > 1]


def _tail(head: RunHead, n_parts: int) -> str:
    """The last parts of the path; the name before them where the path does not end in it."""
    parts = [part for part in text_of_path(head.path).split("/") if part]
    tail = "/".join(parts[-n_parts:])
    return tail if tail.endswith(head.name) or not tail else f"{head.name} ({tail})"


def setting_labels(folds: Folds) -> dict[str, Safe]:
    """By run id what tells its setting from the others: `adam lr=0.1`; one setting alone is `all runs`.

    Words speak for themselves, numbers and truth values need the name of their parameter; so do words that two
    parameters share: of `const lin` nobody knows which is which.
    """
    labels: dict[str, Safe] = {}
    columns = list(zip(*(fold.values for fold in folds.folds), strict=True))
    n_columns = Counter(text for values in columns for text in set(filter(_is_word, values)))
    names = _last_parts([column.title for column in folds.columns])
    are_named = [any(n_columns[value] > 1 for value in filter(_is_word, values)) for values in columns]
    for fold in folds.folds:
        parts = [
            _setting_part(column, value, name, is_named=is_named)
            for column, value, name, is_named in zip(folds.columns, fold.values, names, are_named, strict=True)
            if value is not None
        ]
        labels |= dict.fromkeys(fold.run_ids, safe(" ".join(parts) or "all runs"))
    return labels


def told_labels(told: Folds | None) -> dict[str, Safe]:
    """By run id the parameters that tell it from the others, `lr=0.1 seed=1`; {} where these do not tell all apart.

    Args:
        told: what `queries.telling` found, a fold for each run.
    """
    labels = setting_labels(told) if told is not None else {}
    is_told = len(set(labels.values())) == len(labels) and safe("all runs") not in labels.values()
    return labels if is_told else {}


def _is_word(value: Value) -> bool:
    return isinstance(value, str) and value[:1].isalpha()


def _last_parts(keys: Sequence[str]) -> list[str]:
    """The last part of each dotted key, short enough for a legend; more of it where another key would look the same."""
    parts = [key.rpartition(".")[2] for key in keys]
    names = [part if parts.count(part) == 1 else key for key, part in zip(keys, parts, strict=True)]
    short = [str(fit_middle(safe(name), MOST_KEY_CELLS)) for name in names]
    return [one if short.count(one) == 1 else name for one, name in zip(short, names, strict=True)]


def _setting_part(column: Column, value: Value, name: str, *, is_named: bool) -> str:
    if column.spec == "git.commit":
        return str(value)[:7]
    text = str(value_text(value))
    return text if _is_word(value) and not is_named else f"{name}={text}"


def with_mark(label: Safe, head: RunHead) -> Safe:
    """The label, behind a diamond where the run is the baseline."""
    return safe(f"{BASELINE_MARK} ") + label if head.is_baseline else label
