"""What the user's mappings claimed, a line for each rule."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlbench.queries.mapped import MappedRule


def mapped_line(rule: MappedRule) -> str:
    """`DIR/mlbench-mapping.yaml:2: 'results/*.csv' reads 3 files, 3 runs`."""
    if rule.is_left_alone:
        done = "leaves its files alone"
    elif not rule.n_files:
        done = "reads no file: none of its name was found, or a rule before it took them"
    else:
        done = f"reads {_count(rule.n_files, 'file')}, {_count(rule.n_runs, 'run')}"
    return f"{rule.mapping}:{rule.line}: {rule.match!r} {done}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
