"""`mlbench metric [NAME] [--goal min|max] [--primary]`."""

from __future__ import annotations

import click

from mlbench.cli.common import format_option, home_of, home_option, reading, talk
from mlbench.cli.completing import complete_metrics
from mlbench.cli.words import print_rows


@click.command("metric")
@click.argument("name", required=False, shell_complete=complete_metrics)
@click.option("--goal", type=click.Choice(["min", "max"]), help="Whether less or more of it is better.")
@click.option("--primary", "is_primary", is_flag=True, help="Make it the metric that `@best` and reports go by.")
@home_option
@format_option
def command(name: str | None, goal: str | None, is_primary: bool, home: str | None, form: str | None) -> None:
    """Say what better means for a metric; without NAME, list all metrics with their goals and how those are known."""
    from mlbench.journal import describe, open_journal
    from mlbench.queries.goals import goal_of, primary_metric
    from mlbench.queries.names import metric_names
    from mlbench.render.records import Records

    if name is None and (goal or is_primary):
        raise click.UsageError("--goal and --primary are said of one metric. Give its NAME")
    place = home_of(home)
    with reading(place) as reader:
        known = metric_names(reader)
        if name is not None and name not in known:
            _refuse(name, known)
    if name is not None and (goal or is_primary):
        with open_journal(place) as journal:
            entries = [journal.goal(name, goal)] if goal else []
            entries += [journal.primary(name)] if is_primary else []
        for entry in entries:
            talk(describe(entry))
    with reading(place) as reader:
        primary = primary_metric(reader)
        chosen = primary[0] if primary else None
        rows = tuple((metric, *goal_of(reader, metric), metric == chosen) for metric in ([name] if name else known))
    print_rows(Records(("metric", "goal", "known", "primary"), rows), form)


def _refuse(name: str, known: tuple[str, ...]) -> None:
    import difflib

    near = difflib.get_close_matches(name, known, n=1)
    hint = f"Did you mean {near[0]!r}?" if near else "Try: mlbench metric, to list them"
    raise click.UsageError(f"no metric {name!r} in the catalog. {hint}")
