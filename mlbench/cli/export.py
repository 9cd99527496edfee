"""`mlbench export runs|params|series [FILTER] -o FILE`."""

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

if TYPE_CHECKING:
    import pyarrow as pa

    from mlbench.catalog.reader import Reader


@click.command("export")
@click.argument("what", type=click.Choice(["runs", "params", "series"]))
@click.argument("filter_word", metavar="[FILTER]", required=False)
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
    type=click.Choice(["effective", "raw"]),
    default="effective",
    show_default=True,
    help="Which points of a series: those that a restart did not replace, or all.",
)
@where_option
@within_option
@home_option
@format_option
def command(
    what: str, filter_word: str | None, output: str, view: str, where: str | None, within: tuple[str, ...],
    home: str | None, form: str | None,
) -> None:  # fmt: skip
    """Write runs, params or series to FILE, with exact values; the format is told by its ending.

    series has the columns root, run, metric, source_run, source_metric, step, wall_time, value, seq.
    """
    from mlbench.queries.runs import find_runs
    from mlbench.render.export import format_of, write_table_file

    if form is not None and form != format_of(output):
        raise click.UsageError(f"--format {form} and the ending of {os.path.basename(output)} do not agree")
    format_of(output)
    with reading(home_of(home)) as reader:
        answer = find_runs(reader, where=one_of(filter_word, where), columns=None, within=real_paths(within))
        ids = [row.head.run_id for row in answer.rows]
        table = _table(reader, what, ids, view)
    write_table_file(output, table)
    talk(f"{output}: {table.num_rows} rows of {len(ids)} runs")


def _table(reader: Reader, what: str, ids: list[str], view: str) -> pa.Table:
    if what == "series":
        from mlbench.queries.series import export_series

        return export_series(reader, ids, view=view)
    if what == "params":
        sql = (
            "SELECT r.name AS run, p.* FROM params p JOIN runs r ON r.id = p.run_id WHERE r.id IN (SELECT unnest(?)) "
            "ORDER BY r.name, r.id, p.key"
        )
        return reader.table(sql, [ids])
    return reader.table("SELECT * FROM runs WHERE id IN (SELECT unnest(?)) ORDER BY name, id", [ids])
