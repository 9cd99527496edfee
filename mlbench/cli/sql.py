"""`mlbench sql 'SELECT ...'`."""

from __future__ import annotations

import sys

import click

from mlbench.cli.common import format_option, home_of, home_option, talk
from mlbench.cli.words import print_rows

MAX_MEMORY_MB = 65_536


@click.command("sql")
@click.argument("statement", metavar="SELECT")
@click.option(
    "-n", "--limit", type=click.IntRange(min=0), metavar="N", default=10_000, help="At most N rows.  [default: 10,000]"
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0.1, max=86_400),
    metavar="S",
    default=30.0,
    help="Stop after S seconds.  [default: 30]",
)
@click.option(
    "--memory",
    type=click.IntRange(min=64, max=MAX_MEMORY_MB),
    metavar="MB",
    default=512,
    help="Megabytes that the query may take.  [default: 512]",
)
@home_option
@format_option
def command(statement: str, limit: int, timeout: float, memory: int, home: str | None, form: str | None) -> None:
    """Run one SELECT on the views of the catalog: runs, params, series, points, tags, notes, code, environment,
    data_versions, artifacts, lineage, validations, model_versions, sources, problems. A `-` reads it from stdin.

    Nothing else is within reach: no file, no network, no extension, no setting.

    \b
    mlbench sql 'SELECT name, status, duration FROM runs ORDER BY duration DESC LIMIT 5'
    mlbench sql "SELECT run_id, min(value) FROM points WHERE metric = 'val/loss' GROUP BY run_id"
    mlbench sql 'DESCRIBE runs'
    """
    from mlbench.queries.select import Limits, select_rows
    from mlbench.render.records import Records, unique_keys

    sql = sys.stdin.read() if statement == "-" else statement
    answer = select_rows(home_of(home), sql, Limits(limit, timeout, memory))
    print_rows(Records(unique_keys(answer.keys), answer.rows), form)
    if answer.is_cut:
        talk(f"the first {limit:,} rows; there are more. Try: --limit {limit * 10 or 10}, or a narrower question")
