"""What leaves the workbench: reports, and what is copied."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace

from mlbench.queries.vocabulary import counted, runs_text
from mlbench.safe import safe, text_of_path
from mlbench.tui.actions import CHART, COMPARE, RUN, STAGE
from mlbench.tui.clipboard import shell_line
from mlbench.tui.desk import Desk
from mlbench.tui.doing.types import Handler
from mlbench.tui.equal_commands import diff_words, plot_words, show_words
from mlbench.tui.prompts import Prompt
from mlbench.tui.session import ReportQuestion
from mlbench.tui.view import MOST_COMPARED

REPORT_NAME = "report.md"


def ask_report(desk: Desk, _n: int) -> None:
    """Ask where the report shall be written."""
    ids = report_runs(desk)
    if not ids:
        desk.say("there is no run to report on", "muted")
        return
    what = counted(len(ids), "marked run" if desk.view.marks else "shown run")
    desk.ask_user(
        Prompt(
            "report to",
            lambda path: write_report(desk, path),
            text=REPORT_NAME,
            hint=f"Markdown of the {what}, with charts beside it; in {safe(text_of_path(os.getcwd()))}",
            history="report",
            does="writes",
        )
    )


def report_runs(desk: Desk) -> tuple[str, ...]:
    """The marked runs, else all that are shown; the baseline first."""
    shown = desk.tabling.rows.listing.ids
    ids = desk.view.marks.run_ids or shown
    first = (desk.baseline.run_id,) if desk.baseline is not None and ids else ()
    return tuple(dict.fromkeys((*first, *ids)))


def write_report(desk: Desk, path: str) -> None:
    """Write a report; a file that is there is replaced only if the user says so."""
    path = path.strip()
    if not path:
        return
    if os.path.isdir(os.path.expanduser(path)):
        path = os.path.join(path, REPORT_NAME)
    look, found = desk.view.chart, desk.answers.found
    question = ReportQuestion(
        path=path,
        run_ids=report_runs(desk),
        metrics=look.metrics,
        query=desk.view.query,
        columns=found.columns if found else (),
        smoothing=look.smoothing,
        smoothing_kind=look.smoothing_kind,
        y_scale=look.y_scale,
    )
    if os.path.lexists(os.path.expanduser(path)):
        desk.ask_user(
            Prompt(
                f"{safe(text_of_path(path))[:60]} is there already. Replace it? y/n",
                lambda _key: _write(desk, replace(question, may_replace=True)),
                on_cancel=lambda: desk.say("nothing was written", "muted"),
                keys=("y",),
                hint="y replaces the file, n leaves it as it is",
            )
        )
    else:
        _write(desk, question)


def _write(desk: Desk, question: ReportQuestion) -> None:
    desk.say("writing the report ...", "muted")
    desk.asker.ask(
        "report", lambda: desk.session.write_report(question), lambda text: desk.say(text, "good"), lane="detail"
    )


# ---------------------------------------------------------------- copies


def copy_command(desk: Desk, _n: int) -> None:
    """Copy the command that gives what the pane shows: a run, a comparison, charts, else the runs of the table."""
    view, found = desk.view, desk.answers.found
    series = desk.answers.series
    if view.pane in (RUN, STAGE) and desk.current is not None:
        _copy(desk, shell_line(show_words(desk.current.run_id)))
    elif view.pane == COMPARE and desk.compared():
        _copy(desk, shell_line(diff_words(view, desk.compared()[:MOST_COMPARED])))
    elif view.pane == CHART and series:
        ids = (view.chart.front,) if view.chart.is_isolated else [one.head.run_id for one in series]
        metrics = dict.fromkeys(one.metric for one in series)
        _copy(desk, shell_line(plot_words(view.chart, list(dict.fromkeys(ids)), list(metrics))))
    else:
        question = replace(view.question, columns=view.columns or (found.columns if found else ()))
        _copy(desk, desk.session.command(question))


def copy_rerun(desk: Desk, _n: int) -> None:
    """Copy the checkout and the command that repeat this run."""
    run = desk.current
    if run is None:
        return

    def copied(text: str) -> None:
        where = desk.host.copy(text)
        desk.say(f"copied{where}: {safe('; '.join(text.splitlines()))}")

    desk.asker.ask("rerun", lambda: desk.session.details.rerun(run.run_id), copied, lane="detail")


def copy_id(desk: Desk, _n: int) -> None:
    """Copy the id of this run."""
    if desk.current is not None:
        _copy(desk, desk.current.run_id)


def copy_path(desk: Desk, _n: int) -> None:
    """Copy the path of this run."""
    if desk.current is not None:
        _copy(desk, desk.current.path)


def copy_markdown(desk: Desk, _n: int) -> None:
    """Copy the marked runs, else all that are shown, as a table."""
    found = desk.answers.found
    ids = desk.view.marks.run_ids or desk.tabling.rows.listing.ids
    columns = found.columns if found else ()

    def copied(text: str) -> None:
        where = desk.host.copy(text)
        desk.say(f"copied {runs_text(len(ids))} as a Markdown table{where}")

    desk.asker.ask("markdown", lambda: desk.session.markdown(ids, columns), copied, lane="detail")


def _copy(desk: Desk, text: str) -> None:
    where = desk.host.copy(text)
    desk.say(f"copied{where}: {safe(text)}")


HANDLERS: Mapping[str, Handler] = {
    "app.report": ask_report,
    "app.copy_command": copy_command,
    "app.copy_id": copy_id,
    "app.copy_path": copy_path,
    "app.copy_rerun": copy_rerun,
    "app.copy_markdown": copy_markdown,
}
