"""The palette: every action, command and run by its name; and doing an action wherever it works."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

from mlbench.tui.actions import ACTIONS, PROBLEMS, RUN, RUNS, STAGE, TITLES, Action, key_text
from mlbench.tui.desk import Desk
from mlbench.tui.doing.showing import COMMANDS, ask_command, show_problems
from mlbench.tui.doing.types import Handler
from mlbench.tui.menu import Choice, Menu
from mlbench.tui.prompts import Prompt

MOST_RUNS = 2000
"""Runs that the palette lists: it is narrowed at every letter."""
LABEL_CELLS = 16


def go_where(desk: Desk, action: Action) -> bool:
    """Go to a pane where an action works; False where there is none to go to."""
    view = desk.view
    if action.works_in(view.pane):
        return True
    pane = action.panes[0]
    if pane == RUN or (pane == STAGE and not view.shown_run):
        run = desk.current
        if run is None:
            desk.say("there is no run here", "muted")
            return False
        desk.change(replace(view, shown_run=run.run_id, pane=RUN))
    elif pane == PROBLEMS:
        show_problems(desk, 1)
    else:
        shown = view.shown_run if pane == STAGE else ""
        desk.change(replace(view, pane=pane, shown_run=shown, is_zoomed=view.is_zoomed and pane != RUNS))
    return True


def open_palette(desk: Desk, _n: int) -> None:
    """List what can be done; the letters that are typed narrow it."""
    calls: dict[str, Callable[[], None]] = {}
    choices: list[Choice] = []
    for action in _ordered(desk):
        calls[action.id] = partial(desk.host.act, action.id)
        choices.append(Choice(action.id, action.label, _detail(desk, action), action.help))
    for word, (what, _do) in COMMANDS.items():
        calls[f":{word}"] = partial(ask_command, desk, 1, text=f"{word} ")
        choices.append(Choice(f":{word}", f":{word}", "command", what, is_late=True))
    for head in list(desk.heads.values())[:MOST_RUNS]:
        calls[f"run {head.run_id}"] = partial(_show_run, desk, head.run_id)
        choices.append(Choice(f"run {head.run_id}", head.name, "run", is_late=True))
    desk.ask_user(
        Prompt(
            "do",
            lambda value: calls[value]() if value in calls else desk.say(f"nothing is named '{value}'", "bad"),
            menu=Menu(tuple(choices), label_cells=LABEL_CELLS),
            hint="letters narrow the list; runs and commands are found by their names, too",
            does="does it",
        )
    )


def _ordered(desk: Desk) -> list[Action]:
    """All actions: what works in the pane at work, then the other panes', then those that move the cursor."""
    pane = desk.view.pane

    def place(action: Action) -> tuple[bool, bool, bool]:
        return action.id.startswith(("move.", "lists.")), not action.works_in(pane), not action.panes

    return sorted((action for action in ACTIONS if action.id != "app.palette"), key=place)


def _detail(desk: Desk, action: Action) -> str:
    """The pane that it belongs to, if that is another one, and its key there."""
    pane = desk.view.pane
    if action.works_in(pane):
        return key_text(desk.keyboard.working_key(action, pane))
    return f"{TITLES[action.panes[0]]}  {key_text(desk.keyboard.working_key(action, action.panes[0]))}".rstrip()


def _show_run(desk: Desk, run_id: str) -> None:
    desk.change(replace(desk.view, shown_run=run_id, pane=RUN))


HANDLERS: Mapping[str, Handler] = {"app.palette": open_palette}
