"""`mlbench diff RUN RUN...`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from mlbench.cli.common import (
    chosen_format,
    format_option,
    home_of,
    home_option,
    print_lines,
    print_records,
    reading,
    real_paths,
    select_runs,
    talk,
    where_option,
    width_cells,
    within_option,
)
from mlbench.cli.completing import complete_metrics, complete_runs
from mlbench.errors import NoRunError

if TYPE_CHECKING:
    from mlbench.catalog.reader import Reader
    from mlbench.queries.answers import DiffAnswer
    from mlbench.queries.code import CodeChange

DATA_FORMATS = ("json", "jsonl", "csv", "parquet")
"""Formats for programs: a diff of the code is a row among the others, and no text behind them."""


@click.command("diff")
@click.argument("runs", nargs=-1, metavar="RUN RUN...", shell_complete=complete_runs)
@click.option(
    "--baseline",
    metavar="RUN",
    help="What the others are compared with. [default: the first]",
    shell_complete=complete_runs,
)
@click.option("--all", "everything", is_flag=True, help="Also what is equal, and each slice of the data.")
@click.option("--deltas", "as_deltas", is_flag=True, help="Parameters as changes against the baseline.")
@click.option(
    "--at", metavar="METRIC", help="Also each metric's value where METRIC is best.", shell_complete=complete_metrics
)
@click.option(
    "--code", "has_code", is_flag=True, help="Also the changes of the code and of notebooks' cells, as a unified diff."
)
@click.option(
    "--repo",
    metavar="DIR",
    type=click.Path(),
    help="Where the code lies, if neither the logs nor their folder tell.",
)
@click.option("--layers", "has_layers", is_flag=True, help="Say where parameters were said: default, config, ...")
@click.option(
    "--verdict", "has_verdict", is_flag=True,
    help="Only whether differences are more than chance: each run's setting, with all runs that repeat it, against the "
    "baseline's.",
)  # fmt: skip
@click.option("--exit-code", "has_exit_code", is_flag=True, help="Exit with 1 when anything differs.")
@where_option
@within_option
@home_option
@format_option
def command(
    runs: tuple[str, ...], baseline: str | None, everything: bool, as_deltas: bool, at: str | None, has_layers: bool,
    has_code: bool, repo: str | None, has_verdict: bool,
    has_exit_code: bool, where: str | None, within: tuple[str, ...], home: str | None, form: str | None,
) -> int:  # fmt: skip
    """Compare runs side by side: parameters, metrics, command, code, machines, environment, data and cost that differ.

    RUN is a name, a unique beginning of a name or id, a path, a glob, @best or @baseline.
    """
    from mlbench.queries.at_best import with_values_at
    from mlbench.queries.code import compare_code, with_changed_books
    from mlbench.queries.data_changes import MOST_FILES, with_data_changes
    from mlbench.queries.notebooks import with_notebooks

    if repo is not None and not os.path.isdir(repo):
        raise click.UsageError(f"--repo {repo}: no such directory")
    if has_verdict:
        _check_alone(everything, as_deltas, at, has_layers, has_code, repo, has_exit_code)
        return tell_verdict(home, runs, baseline, where, within, chosen_format(form))
    with reading(home_of(home)) as reader:
        answer = compare(reader, runs, baseline, where, within, everything=everything)
        answer = with_values_at(reader, answer, at) if at else answer
        answer = with_notebooks(reader, answer)
        answer = with_data_changes(reader, answer, most=None if everything else MOST_FILES)
        changes = compare_code(reader, [head.run_id for head in answer.runs], repository=repo or "")
    answer = with_changed_books(answer, changes)
    chosen = chosen_format(form)
    is_data = chosen in DATA_FORMATS
    print_diff(
        answer, chosen, changes, as_deltas=as_deltas, has_layers=has_layers, has_code=has_code and is_data,
        has_slices=everything,
    )  # fmt: skip
    if not is_data and (chosen == "table" or has_code):
        print_code(answer, changes, has_diff=has_code, has_table=chosen == "table")
    return 1 if has_exit_code and answer.differs else 0


def compare(
    reader: Reader, runs: tuple[str, ...], baseline: str | None, where: str | None, within: tuple[str, ...],
    *, everything: bool = False,
) -> DiffAnswer:  # fmt: skip
    """The comparison of the runs named, the baseline first.

    Raises:
        UsageError: fewer than two runs.
    """
    from mlbench.queries.compare import compare_runs

    return compare_runs(reader, chosen_ids(reader, runs, baseline, where, within), everything=everything)


def _check_alone(*others: object) -> None:
    """Raise UsageError where an option was given that says nothing to a verdict."""
    names = ("--all", "--deltas", "--at", "--layers", "--code", "--repo", "--exit-code")
    if given := [name for name, value in zip(names, others, strict=True) if value]:
        raise click.UsageError(f"{given[0]} means nothing with --verdict. Try it without either of them")


def tell_verdict(
    home: str | None, runs: tuple[str, ...], baseline: str | None, where: str | None, within: tuple[str, ...],
    form: str,
) -> int:  # fmt: skip
    """Print whether the settings of the runs differ by more than chance."""
    from mlbench.queries.settings_versus import compare_settings
    from mlbench.render.settings_versus import settings_versus_lines, settings_versus_records

    with reading(home_of(home)) as reader:
        ids = chosen_ids(reader, runs, baseline, where, within)
        answer = compare_settings(reader, ids, within=real_paths(within))
    if form == "table":
        print_lines(tuple(settings_versus_lines(answer, width_cells())))
    else:
        print_records(settings_versus_records(answer), form)
        for remark in (*answer.remarks, *([answer.said] if answer.said else ())):
            talk(remark)
    return 0


def chosen_ids(
    reader: Reader, runs: tuple[str, ...], baseline: str | None, where: str | None, within: tuple[str, ...]
) -> list[str]:
    """The runs named, the baseline first.

    Raises:
        UsageError: fewer than two runs.
    """
    heads = select_runs(reader, runs, where, within)
    ids = [head.run_id for head in heads]
    if baseline is not None:
        base = select_runs(reader, (baseline,), None, within)
        if len(base) != 1:
            raise click.UsageError(f"--baseline {baseline!r} names {len(base)} runs, it takes one")
        ids = [base[0].run_id, *ids]
    elif kept := [head.run_id for head in heads if head.is_baseline]:
        ids = [kept[0], *ids] if where is not None else ids
    ids = list(dict.fromkeys(ids))
    if len(ids) < 2:
        raise NoRunError("a comparison takes two runs or more. Try: mlbench query, to list them")
    return ids


def print_diff(
    answer: DiffAnswer, form: str, changes: Sequence[CodeChange] = (),
    *, as_deltas: bool = False, has_layers: bool = False, has_code: bool = False, has_slices: bool = False,
) -> None:  # fmt: skip
    """Print a comparison: sections on a terminal, flat rows elsewhere, those of the code among them."""
    from mlbench.render.code import code_records
    from mlbench.render.diff import diff_records, diff_sections, diff_summary
    from mlbench.render.table import section_lines

    if form == "table":
        sections = diff_sections(
            answer, as_deltas=as_deltas, is_tree=True, has_layers=has_layers, has_slices=has_slices
        )
        print_lines(section_lines(sections, width_cells()))
    else:
        ids = [head.run_id for head in answer.runs]
        print_records(diff_records(answer, code_records(changes, ids, has_diff=has_code)), form)
    talk(diff_summary(answer))


def print_code(answer: DiffAnswer, changes: Sequence[CodeChange], *, has_diff: bool, has_table: bool) -> None:
    """Print what changed in the code of each run whose commit differs from the baseline's, or that was dirty."""
    from mlbench.render.code import code_section, diff_lines
    from mlbench.render.labels import label_map
    from mlbench.render.notebooks import notebook_lines
    from mlbench.render.table import section_lines

    labels = label_map(answer.runs)
    told = [change for change in changes if change.verdict != "same"]
    if told and has_table:
        print_lines([(), *section_lines([code_section(told, labels)], width_cells())])
    shown: set[tuple[str, str]] = set()
    for change in told if has_diff else ():
        if (change.diff, change.patches[1]) not in shown:
            shown.add((change.diff, change.patches[1]))
            print_lines([(), *diff_lines(change, labels[change.run_id])])
    for book in answer.notebooks if has_diff else ():
        if book.changes and not book.name:
            print_lines([(), *notebook_lines(book, labels[book.run_id])])
