"""The user's own words: tags, notes, baseline, archive marks, and taking them back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mlbench.queries.answers import RunHead
from mlbench.render.cells import fit_middle
from mlbench.safe import safe
from mlbench.tui.completion import complete_tag
from mlbench.tui.desk import Desk
from mlbench.tui.doing.types import Handler
from mlbench.tui.prompts import Prompt

MOST_NAME_CELLS = 36
"""Of a run's name in a sentence: on 80 columns the rest of it must be seen, too."""


def runs_text(runs: Sequence[RunHead]) -> str:
    """The name of one run, no longer than leaves room for what is said of it; the number of several."""
    return str(fit_middle(safe(runs[0].name), MOST_NAME_CELLS)) if len(runs) == 1 else f"{len(runs):,} runs"


def read_tags(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Tags to add and to remove: `+best -bad`; a word without a sign is added. Commas may stand between."""
    words = [word.removeprefix("#") for word in text.replace(",", " ").split()]
    add = tuple(word.lstrip("+#") for word in words if not word.startswith("-"))
    remove = tuple(word.lstrip("-#") for word in words if word.startswith("-"))
    return tuple(filter(None, add)), tuple(filter(None, remove))


def tag(desk: Desk, _n: int) -> None:
    """Ask for tags and say them of the runs."""
    runs = desk.chosen
    if not runs:
        desk.say("there is no run to tag", "muted")
        return
    own = sorted({tag for run in runs for tag in run.tags})
    has = f"has {' '.join(f'#{tag}' for tag in own)}   " if own else ""
    desk.ask_user(
        Prompt(
            f"tag {runs_text(runs)[:30]}:",
            lambda text: say_tags(desk, runs, text),
            complete=lambda text, cursor: complete_tag(text, cursor, desk.answers.names, own),
            hint=f"{has}+name adds, -name removes, several with blanks between",
            history="tags",
        )
    )


def say_tags(desk: Desk, runs: Sequence[RunHead], text: str) -> None:
    """Say tags as they were typed."""
    add, remove = read_tags(text)
    if not add and not remove:
        return
    said = " ".join([*(f"+{name}" for name in add), *(f"-{name}" for name in remove)])

    def word() -> str:
        desk.session.tag(runs, add, remove)
        return f"tagged {runs_text(runs)}: {said}   ({desk.key('app.undo')} takes it back)"

    desk.say_word(word)


def make_baseline(desk: Desk, _n: int) -> None:
    """Make this run the baseline; if it is, no run is."""
    run = desk.current
    if run is None:
        return
    chosen = None if desk.baseline is not None and desk.baseline.run_id == run.run_id else run

    def word() -> str:
        desk.session.set_baseline(chosen)
        done = "the baseline" if chosen else "no longer the baseline"
        return f"{runs_text([run])} is {done}   ({desk.key('app.undo')} takes it back)"

    desk.say_word(word)


def archive(desk: Desk, _n: int) -> None:
    """Archive the runs; those that are archived come back."""
    runs = desk.chosen
    if not runs:
        return
    is_archived = not all(run.is_archived for run in runs)

    def word() -> str:
        desk.session.archive(runs, is_archived=is_archived)
        return (
            f"{runs_text(runs)} {'archived' if is_archived else 'taken back'}   ({desk.key('app.undo')} takes it back)"
        )

    desk.with_view(marks=desk.view.marks.without(run.run_id for run in runs) if is_archived else desk.view.marks)
    desk.say_word(word)


def make_primary(desk: Desk, _n: int) -> None:
    """Make the metric of this column the one by which runs are best."""
    from mlbench.queries.columns import metric_spec

    column = desk.panes.table.current_column
    metric = next((name for name in desk.answers.names.metrics if column and metric_spec(name) == column.spec), None)
    if metric is None:
        desk.say(
            f"this column is no metric. Move to one with {desk.key('runs.left')} and {desk.key('runs.right')}",
            "muted",
        )
        return

    def word() -> str:
        desk.session.set_primary(metric)
        return f"{metric} is the primary metric   ({desk.key('app.undo')} takes it back)"

    desk.say_word(word)


def undo(desk: Desk, _n: int) -> None:
    """Take back the last word."""

    def word() -> str | None:
        said = desk.session.undo()
        return None if said is None else f"taken back: {said}   ({desk.key('app.redo')} says it again)"

    desk.say_word(word, nothing="there is nothing to take back")


def redo(desk: Desk, _n: int) -> None:
    """Say again what was taken back."""

    def word() -> str | None:
        said = desk.session.redo()
        return None if said is None else f"said again: {said}"

    desk.say_word(word, nothing="there is nothing to say again")


HANDLERS: Mapping[str, Handler] = {
    "runs.tag": tag,
    "runs.baseline": make_baseline,
    "runs.archive": archive,
    "runs.primary": make_primary,
    "app.undo": undo,
    "app.redo": redo,
}
