"""Which pane is at work, help, problems, the command line, and leaving."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from difflib import get_close_matches

from mlbench.settings import BELL_RULES
from mlbench.tui.actions import BY_ID, CHART, COMPARE, PROBLEMS, RUN, RUNS, STAGE, TITLES
from mlbench.tui.completion import Completion, complete_column, complete_query, matching
from mlbench.tui.desk import Desk
from mlbench.tui.doing.axes import set_axis
from mlbench.tui.doing.charting import set_smoothing, show_layout
from mlbench.tui.doing.front import mark_front
from mlbench.tui.doing.giving import REPORT_NAME, write_report
from mlbench.tui.doing.noting import say_note
from mlbench.tui.doing.saying import say_tags
from mlbench.tui.doing.types import Handler
from mlbench.tui.keyboard import MOST_COUNT
from mlbench.tui.menu import Choice, Menu
from mlbench.tui.panes import pane_order
from mlbench.tui.prompts import Prompt
from mlbench.tui.view import AXES


def go_full(pane: str) -> Handler:
    """The handler that gives a pane the whole screen, or goes back from it."""

    def go(desk: Desk, _n: int) -> None:
        if desk.view.pane == pane and desk.view.is_zoomed:
            back(desk, 1)
        else:
            desk.change(replace(desk.view, pane=pane, is_zoomed=True, shown_run=""))

    return go


def back(desk: Desk, _n: int) -> None:
    """Back to the runs; whatever lay over them is closed. From what stands behind a fact back to the facts."""
    if desk.view.pane == STAGE:
        desk.change(replace(desk.view, pane=RUN))
        return
    desk.change(replace(desk.view, pane=RUNS, is_zoomed=False, shown_run=""))


def back_or_quit(desk: Desk, _n: int) -> None:
    """Back, and from the runs out."""
    view = desk.view
    if view.pane != RUNS or view.is_zoomed or view.shown_run:
        back(desk, 1)
    else:
        desk.host.leave()


def go_to_pane(step: int) -> Handler:
    """The handler for the next pane, or the one before."""

    def go(desk: Desk, _n: int) -> None:
        order = pane_order(desk.view)
        place = order.index(desk.view.pane) if desk.view.pane in order else 0
        desk.with_view(pane=order[(place + step) % len(order)])

    return go


def show_problems(desk: Desk, _n: int) -> None:
    """List what could not be read."""
    desk.change(replace(desk.view, pane=PROBLEMS))
    desk.ask_problems()


def open_problem(desk: Desk, _n: int) -> None:
    """Show the run that the problem belongs to."""
    place = desk.panes.problems.current_key.rpartition(":")[2]
    problem = desk.answers.problems[int(place)] if place.isdigit() else None
    if problem is None or not problem.run_id:
        desk.say("this problem belongs to no run" if problem else "there is no problem here", "muted")
        return
    desk.change(replace(desk.view, shown_run=problem.run_id, pane=RUN))


def filter_problems(desk: Desk, _n: int) -> None:
    """List only the problems that have a text in them; nothing lists all."""
    before = desk.problem_filter

    def show(text: str) -> None:
        desk.problem_filter = text.strip()
        desk.panes.draw_problems(desk)

    desk.ask_user(
        Prompt("find", show, text=before, on_change=show, on_cancel=lambda: show(before), history="problems",
               hint="a part of a path, of what is wrong, or of what to do")
    )  # fmt: skip


def reload(desk: Desk, _n: int) -> None:
    """Look for new runs and points."""
    if desk.answers.done is None:
        desk.say("the logs are being read already", "muted")
    else:
        desk.start_index()
        desk.panes.draw_bars(desk)


def toggle_following(desk: Desk, _n: int) -> None:
    """Look for new points again and again, or no more."""
    desk.is_following = not desk.is_following
    desk.follow_later(0.0)
    desk.say("following: new points are shown as they come" if desk.is_following else "no longer following", "muted")


_BELL = {"beats": "a run beats the baseline", "nan": "a metric is NaN or infinite", "stalls": "a run stalls"}


def show_keys(desk: Desk, _n: int) -> None:
    """The keys of the pane at work."""
    from mlbench.tui.screens.help import help_rows

    rows = help_rows(desk.keyboard, desk.view.pane, is_linear=desk.panes.looks.is_linear)
    desk.host.show_help(f"Keys in {TITLES[desk.view.pane]}", rows)


def choose_bell(desk: Desk, _n: int) -> None:
    """Pick what the bell is rung for; none is silence."""
    choices = tuple(Choice(rule, rule, _BELL[rule]) for rule in BELL_RULES)
    desk.ask_user(
        Prompt("bell", lambda text: set_bell(desk, text), menu=Menu(choices, is_many=True, picked=[*desk.bell.rules]),
               hint="space picks; rings at most every ten seconds")
    )  # fmt: skip


def set_bell(desk: Desk, text: str) -> None:
    """Ring for these rules, for this scope; `off` for none."""
    words = tuple(dict.fromkeys(text.replace(",", " ").split()))
    rules = () if words == ("off",) else words
    if wrong := [word for word in rules if word not in BELL_RULES]:
        desk.say(f"the bell knows no '{wrong[0]}'. Try: bell {' '.join(BELL_RULES)}, or bell off", "bad")
        return
    desk.with_view(bell=rules)
    desk.bell.look(has_changed=True)
    desk.say(f"the bell is rung for {', '.join(rules)}" if rules else "the bell is silent", "muted")


# ---------------------------------------------------------------- the command line


def _filter(desk: Desk, rest: str) -> None:
    desk.with_view(query=rest)


def _sort(desk: Desk, rest: str) -> None:
    desk.with_view(sort=(rest,) if rest else ())


def _columns(desk: Desk, rest: str) -> None:
    desk.with_view(columns=(rest,) if rest else ())


def _set(desk: Desk, rest: str) -> None:
    name, _blank, value = rest.partition(" ")
    name, value = name.rstrip("="), value.strip().lstrip("= ")
    if name in ("smooth", "smoothing"):
        set_smoothing(desk, value)
    elif name == "x" and (value in AXES or value in desk.answers.names.metrics):
        set_axis(desk, value)
    elif name in ("log-y", "log-x", "symlog-y", "symlog-x") and value in ("on", "off"):
        scale, _dash, axis = name.partition("-")
        desk.change(desk.view.scaled(axis, scale if value == "on" else "linear"))
    else:
        desk.say(f"'set {rest}' means nothing. Try: set smooth 0.9, set x {'|'.join(AXES)}, set symlog-y on", "bad")


COMMANDS: Mapping[str, tuple[str, Callable[[Desk, str], None]]] = {
    "quit": ("leave the workbench", lambda desk, _rest: desk.host.leave()),
    "filter": ("FILTER: which runs are shown", _filter),
    "sort": ("COLUMN[:desc]", _sort),
    "columns": ("COLUMN, COLUMN ...", _columns),
    "set": ("smooth 0.9|mean 20, x step|relative|wall|METRIC, log-y|symlog-y on|off", _set),
    "tag": ("+name -name", lambda desk, rest: say_tags(desk, desk.chosen, rest)),
    "note": ("TEXT", lambda desk, rest: say_note(desk, desk.chosen, rest)),
    "bell": ("beats, nan, stalls, or off", set_bell),
    "report": ("FILE.md", lambda desk, rest: write_report(desk, rest or REPORT_NAME)),
    "problems": ("what could not be read", lambda desk, _rest: show_problems(desk, 1)),
    "front": ("AIM, AIM: mark the runs that no other beats in all aims", mark_front),
    "compare": ("the marked runs", lambda desk, _rest: go_full(COMPARE)(desk, 1)),
    "layout": ("NAME: the charts that the logs lay out, all or of that name", show_layout),
    "plots": ("of the marked runs", lambda desk, _rest: go_full(CHART)(desk, 1)),
    "help": ("the keys of this pane", lambda desk, _rest: show_keys(desk, 1)),
}
"""Word to what stands behind it, and what it does."""
_SHORT = {"q": "quit", "q!": "quit", "wq": "quit", "f": "filter", "h": "help", "d": "compare", "p": "plots"}


def run_command(desk: Desk, text: str) -> None:
    """Do what was typed on the command line."""
    word, _blank, rest = text.strip().partition(" ")
    if not word:
        return
    name = _SHORT.get(word, word)
    if name in COMMANDS:
        COMMANDS[name][1](desk, rest.strip())
        return
    if name in BY_ID or len(_ids_of(name)) == 1:
        count = int(rest) if rest.isascii() and rest.isdigit() else 1
        desk.host.act(name if name in BY_ID else _ids_of(name)[0], min(count, MOST_COUNT))
        return
    near = get_close_matches(word, [*COMMANDS, *BY_ID], n=1)
    hint = f"Did you mean '{near[0]}'?" if near else f"Try: {', '.join(COMMANDS)}"
    desk.say(f"there is no command '{word}'. {hint}", "bad")


def _ids_of(word: str) -> list[str]:
    """Actions of the last part of an id: `undo` is `app.undo`."""
    return [name for name in BY_ID if name.rpartition(".")[2] == word]


def complete_command(desk: Desk, text: str, cursor: int) -> Completion:
    """The command, and what stands behind it."""
    word, blank, rest = text[:cursor].partition(" ")
    if not blank:
        return Completion(0, cursor, tuple(f"{name} " for name in matching(word, [*COMMANDS, *BY_ID])))
    start = cursor - len(rest)
    by_word = {"filter": complete_query, "sort": complete_column, "columns": complete_column}
    if word not in by_word:
        return Completion(cursor, cursor)
    found = by_word[word](rest, len(rest), desk.answers.names)
    return Completion(start + found.start, start + found.end, found.words)


def ask_command(desk: Desk, _n: int, *, text: str = "") -> None:
    """Open the command line."""
    desk.ask_user(
        Prompt(
            ":",
            lambda text: run_command(desk, text),
            text=text,
            complete=lambda text, cursor: complete_command(desk, text, cursor),
            hint="any action by its id · quit · filter FILTER · sort COLUMN[:desc] · set smooth 0.9 · problems",
            history="command",
            does="does it",
        )
    )


HANDLERS: Mapping[str, Handler] = {
    "runs.compare": go_full(COMPARE),
    "runs.plots": go_full(CHART),
    "app.back": back_or_quit,
    "app.leave": back,
    "app.next_pane": go_to_pane(1),
    "app.previous_pane": go_to_pane(-1),
    "app.zoom": lambda desk, _n: desk.with_view(is_zoomed=not desk.view.is_zoomed),
    "app.problems": show_problems,
    "problems.open": open_problem,
    "problems.filter": filter_problems,
    "app.history_back": lambda desk, _n: desk.go_in_history(desk.history.back(desk.view)),
    "app.history_forward": lambda desk, _n: desk.go_in_history(desk.history.forward(desk.view)),
    "app.reload": reload,
    "runs.follow": toggle_following,
    "runs.bell": choose_bell,
    "app.command": ask_command,
    "app.help": show_keys,
    "app.stop": lambda desk, _n: desk.host.stop(),
    "app.quit": lambda desk, _n: desk.host.leave(),
}
