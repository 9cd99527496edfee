"""`mlbench export runs|params|series|blobs [FILTER] -o FILE`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from mlbench.cli.common import (
    format_option,
    home_of,
    home_option,
    one_of,
    reading,
    real_paths,
    talk,
    where_option,
    within_option,
)
from mlbench.cli.completing import complete_filter
from mlbench.cli.selecting import chosen_view, selection_option
from mlbench.dataclass import dataclass
from mlbench.queries.vocabulary import counted

if TYPE_CHECKING:
    import pyarrow as pa

    from mlbench.catalog.reader import Reader


MOST_TOLD = 20
"""Problems told one by one."""


@click.command("export")
@click.argument("what", type=click.Choice(["runs", "params", "series", "blobs"]))
@click.argument("filter_word", metavar="[FILTER]", required=False, shell_complete=complete_filter)
@click.option(
    "-o",
    "--output",
    required=True,
    metavar="FILE",
    type=click.Path(dir_okay=False),
    help="Ends in .parquet, .csv, .tsv, .json or .jsonl.",
)
@click.option(
    "--view",
    type=click.Choice(["effective", "raw", "eventaccumulator", "plugin", "tensorboard"]),
    default="effective",
    show_default=True,
    help="Which points of series: those that no restart replaced; all; or what EventAccumulator, TensorBoard's plugin "
    "accumulator or its data server shows of the same event files, which are read again.",
)
@click.option("--strict", "is_strict", is_flag=True, help="Exit with 3 when a file could not be shown wholly.")
@selection_option
@where_option
@within_option
@home_option
@format_option
def command(
    what: str, filter_word: str | None, output: str, view: str, is_strict: bool, selection: str | None,
    where: str | None, within: tuple[str, ...], home: str | None, form: str | None,
) -> int:  # fmt: skip
    """Write runs, params, series or blobs to FILE, with exact values; the format is told by its ending.

    series has the columns root, run, metric, source_run, source_metric, step, wall_time, value, seq. Where a program
    said what a metric is drawn over (W&B's step_metric) two more: axis, that metric (step where there is none), and x,
    its value.

    blobs has a row for everything that was logged besides numbers (histograms, images, texts, sounds, PR curves,
    graphs): root, run, kind, metric, step, wall_time, and where its bytes lie: path, offset, length, encoding, width,
    height, digest.
    """
    from mlbench.queries.runs import find_runs
    from mlbench.queries.views import SavedView
    from mlbench.render.export import format_of, write_table_file

    if form is not None and form != format_of(output):
        raise click.UsageError(f"--format {form} and the ending of {os.path.basename(output)} do not agree")
    format_of(output)
    with reading(home_of(home)) as reader:
        saved = chosen_view(reader, selection, SavedView(one_of(filter_word, where)))
        # Of a view with a limit the first runs in its order; what is written is in the order of names.
        answer = find_runs(
            reader, where=saved.filter, columns=None, sort=saved.sort, limit=saved.limit, within=real_paths(within)
        )
        ids = [row.head.run_id for row in answer.rows]
        export = _export(reader, what, ids, view)
    write_table_file(output, export.table)
    for line in export.talk:
        talk(line)
    talk(f"{output}: {counted(export.table.num_rows, 'row')} of {counted(len(ids), 'run')}")
    return 3 if is_strict and export.has_problems else 0


@dataclass(frozen=True, slots=True)
class _Export:
    table: pa.Table
    talk: tuple[str, ...] = ()
    """What to say of it on stderr."""
    has_problems: bool = False


def _export(reader: Reader, what: str, ids: list[str], view: str) -> _Export:
    if what == "series":
        return _series(reader, ids, view) if view in {"effective", "raw"} else _parity(reader, ids, view)
    if what == "blobs":
        from mlbench.queries.blobs import export_places

        places = export_places(reader, ids)
        return _Export(reader.table(places.text, places.parameters))
    if what == "params":
        sql = (
            "SELECT r.name AS run, p.* FROM params p JOIN runs r ON r.id = p.run_id WHERE r.id IN (SELECT unnest(?)) "
            "ORDER BY r.name, r.id, p.key"
        )
        return _Export(reader.table(sql, [ids]))
    return _Export(reader.table("SELECT * FROM runs WHERE id IN (SELECT unnest(?)) ORDER BY name, id", [ids]))


def _series(reader: Reader, ids: list[str], view: str) -> _Export:
    from mlbench.queries.series import count_set_aside, export_series
    from mlbench.render.show import set_aside_text

    remark = set_aside_text(*count_set_aside(reader, ids)) if view == "effective" else ""
    return _Export(export_series(reader, ids, view=view), (f"{remark}. Try: --view raw, for all",) if remark else ())


def _parity(reader: Reader, ids: list[str], view: str) -> _Export:
    from mlbench.queries.parity import read_parity
    from mlbench.render.problems import problem_text

    answer = read_parity(reader, ids, view=view)
    lines: list[str] = [problem_text(problem) for problem in answer.problems[:MOST_TOLD]]
    if len(answer.problems) > MOST_TOLD:
        lines.append(f"{len(answer.problems) - MOST_TOLD} more such problems")
    if answer.n_other_series:
        come, are = ("comes", "is") if answer.n_other_series == 1 else ("come", "are")
        lines.append(
            f"{answer.n_other_series} series of these runs {come} from no event file and {are} not in this view"
        )
    return _Export(answer.table, tuple(lines), bool(answer.problems))
