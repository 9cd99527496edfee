"""`mlbench show RUN`."""

from __future__ import annotations

import click

from mlbench.cli.common import (
    chosen_format,
    format_option,
    home_of,
    home_option,
    print_lines,
    print_records,
    reading,
    select_runs,
    width_cells,
    within_option,
)
from mlbench.cli.completing import complete_runs


@click.command("show")
@click.argument("run", shell_complete=complete_runs)
@within_option
@home_option
@format_option
def command(run: str, within: tuple[str, ...], home: str | None, form: str | None) -> None:
    """Show all that is known of RUN: parameters by layer, metrics, code, data, environment, notes, files, problems.

    RUN is a name, a unique beginning of a name or id, a path, a glob that fits one run, @best or @baseline.
    """
    from mlbench.queries.show import describe_run
    from mlbench.render.show import show_records, show_sections
    from mlbench.render.table import section_lines

    with reading(home_of(home)) as reader:
        heads = select_runs(reader, (run,), None, within)
        if len(heads) != 1:
            raise click.UsageError(f"{run!r} names {len(heads)} runs, show takes one. Try: mlbench query")
        answer = describe_run(reader, heads[0].run_id)
    chosen = chosen_format(form)
    if chosen == "table":
        print_lines(section_lines(show_sections(answer), width_cells()))
    else:
        print_records(show_records(answer), chosen)
