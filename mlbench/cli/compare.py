"""`mlbench compare FILTER FILTER -m METRIC...`."""

from __future__ import annotations

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
    talk,
    warn,
    width_cells,
    within_option,
)
from mlbench.cli.completing import complete_filter, complete_metrics

if TYPE_CHECKING:
    from mlbench.queries.versus import VersusAnswer


@click.command("compare")
@click.argument("filters", metavar="FILTER FILTER", nargs=2, shell_complete=complete_filter)
@click.option(
    "-m", "--metric", "metrics", multiple=True, metavar="METRIC",
    help="What is compared: a metric, a glob, or a column (repeatable). [default: the primary metric]",
    shell_complete=complete_metrics,
)  # fmt: skip
@click.option(
    "--value", "counts", type=click.Choice(("best", "last")), default="best", show_default=True,
    help="Which value of a run counts; without a goal it is the last.",
)  # fmt: skip
@click.option(
    "--pairing", type=click.Choice(("auto", "paired", "unpaired")), default="auto", show_default=True,
    help="auto: in pairs where every run has a partner with equal seed and settings.",
)  # fmt: skip
@click.option(
    "--expect", "expected", multiple=True, metavar="WORD",
    help="Exit with 1 unless the second group is so: better, not-worse, ... perhaps 'by 0.01' (repeatable).",
)  # fmt: skip
@within_option
@home_option
@format_option
def command(
    filters: tuple[str, str], metrics: tuple[str, ...], counts: str, pairing: str, expected: tuple[str, ...],
    within: tuple[str, ...], home: str | None, form: str | None,
) -> int:  # fmt: skip
    """Compare two groups of runs: is the second better than the first, by how much, and is it more than chance?

    Difference with Welch's and a bootstrap interval, effect size, permutation test (exact for few runs), Holm's
    correction over all metrics, and a plain sentence. docs/statistics.md explains each.

    \b
    mlbench compare "params.optimizer = 'adam'" "params.optimizer = 'sgd'" -m val/acc
    mlbench compare tag:baseline tag:candidate -m val/loss -m val/acc --expect 'not-worse by 0.01'
    mlbench compare 'lr = 0.1' 'lr = 0.01' -m 'metrics.val/acc at min(metrics.val/loss)'
    """
    from mlbench.queries.expectations import failures, read_expectation
    from mlbench.queries.versus import compare_groups

    expectations = [read_expectation(text) for text in expected]
    with reading(home_of(home)) as reader:
        answer = compare_groups(
            reader, *filters, metrics=metrics, within=real_paths(within), counts=counts, pairing=pairing
        )
    missed = [text for expectation in expectations for text in failures(expectation, answer)]
    _print(answer, chosen_format(form))
    for text in missed:
        warn(text)
    return 1 if missed else 0


def _print(answer: VersusAnswer, form: str) -> None:
    from mlbench.render.versus import verdict_sentence, versus_lines, versus_records

    if form == "table":
        print_lines(versus_lines(answer, width_cells()))
    else:
        print_records(versus_records(answer), form)
        for row in answer.metrics:
            talk(f"{row.title}: {verdict_sentence(row)}")
    for remark in answer.remarks:
        talk(remark)
    if answer.mixed:
        talk(f"each group mixes settings ({', '.join(answer.mixed[:6])}): the intervals are about these mixtures")
