"""Every action once, as data: the keys, the footer, the help, the palette and the documentation are made from it."""

from __future__ import annotations

from mlbench.dataclass import dataclass

RUNS, CHART, COMPARE, RUN, STAGE, PROBLEMS = "runs", "chart", "compare", "run", "stage", "problems"
PANES = (RUNS, CHART, COMPARE, RUN, STAGE, PROBLEMS)
TITLES = {RUNS: "Runs", CHART: "Plots", COMPARE: "Compare", RUN: "Run", STAGE: "Fact", PROBLEMS: "Problems"}


@dataclass(frozen=True, slots=True)
class Action:
    """Something that the user can do."""

    id: str
    """Stable: settings name it."""
    keys: tuple[str, ...]
    """Keys as Textual names them, printable ones as the character; `y c` is one key after another."""
    label: str
    """One or two words, for the footer and the palette."""
    help: str
    """One line for the help and the documentation, without a stop at its end."""
    panes: tuple[str, ...] = ()
    """Where it works; () is everywhere."""
    footer: int = 0
    """Place in the footer, of which a narrow terminal shows the beginning; 0 is nowhere."""

    def works_in(self, pane: str) -> bool:
        """Whether it works in a pane."""
        return not self.panes or pane in self.panes


_LISTS = (COMPARE, PROBLEMS)
_DETAILS = (CHART, COMPARE, RUN, STAGE, PROBLEMS)
_RUN = (RUN, STAGE)

ACTIONS: tuple[Action, ...] = (
    # ------------------------------------------------------------ runs
    Action("app.query", ("/",), "filter", "edit the query that says which runs are shown", footer=9),
    Action("runs.mark", ("space",), "mark", "mark this run, or take its mark away; with a number before it, that many",
           (RUNS,), footer=1),
    Action("runs.range", ("v",), "range", "mark the runs from here to where v is pressed again", (RUNS,)),
    Action("runs.mark_all", ("*",), "mark all", "mark all runs that are shown", (RUNS,)),
    Action("runs.unmark", ("escape",), "unmark", "take all marks away", (RUNS,)),
    Action("runs.sort", ("s",), "sort", "sort by this column, then the other way round, then not at all",
           (RUNS,), footer=10),
    Action("runs.sort_by", ("S",), "sort by", "sort by a column that you name, of all there are", (RUNS,)),
    Action("runs.columns", ("c",), "columns", "choose the columns", (RUNS,)),
    Action("runs.keep", ("=",), "keep", "keep only the runs that have this value", (RUNS, COMPARE)),
    Action("runs.drop", ("!",), "drop", "drop the runs that have this value", (RUNS, COMPARE)),
    Action("runs.facet", ("f",), "values", "count the values of this column, and keep one of them", (RUNS,)),
    Action("runs.group", ("o",), "group", "group the runs: by all but seeds, by a parameter, by project", (RUNS,)),
    Action("runs.fold_all", ("O",), "fold all", "open all groups, or fold them", (RUNS,)),
    Action("runs.details", ("enter",), "run", "show all that is known of this run; open or fold this group",
           (RUNS,), footer=17),
    Action("runs.archive", ("a",), "archive", "archive the marked runs (else this one), or take them back", (RUNS,)),
    Action("runs.primary", ("m",), "primary", "make this column's metric the primary one", (RUNS,)),
    Action("runs.follow", ("L",), "follow", "follow the trainings that are running, or stop following", (RUNS,)),
    Action("runs.bell", ("B",), "bell", "what the bell is rung for: the baseline is beaten, NaN, a stall", (RUNS,)),
    Action("runs.baseline", ("b",), "baseline", "make this run the baseline, or no run", (RUNS, *_RUN), footer=16),
    Action("runs.front", ("P",), "front", "mark the runs that no other beats in two aims, such as score and duration",
           (RUNS, COMPARE)),
    Action("runs.compare", ("d",), "compare", "compare the marked runs on the whole screen", footer=11),
    Action("runs.plots", ("p",), "plots", "chart the marked runs on the whole screen", footer=12),
    Action("runs.tag", ("t",), "tag", "tag the marked runs (else this one): +name, -name", footer=13),
    Action("runs.note", ("n",), "note", "write a note on the marked runs (else this one)",
           (RUNS, COMPARE, *_RUN), footer=15),
    Action("runs.edit_note", ("N",), "note in editor", "write the note in $VISUAL or $EDITOR", (RUNS, COMPARE, *_RUN)),
    # ------------------------------------------------------------ plots
    Action("chart.metrics", ("m",), "metrics", "choose the metrics", (CHART,), footer=1),
    Action("chart.smoothing", ("s",), "smooth", "the next weight of smoothing", (CHART,), footer=2),
    Action("chart.smooth_by", ("S",), "smooth by", "type the amount of smoothing: 0.9, twema 0.9, mean 20, gaussian 5",
           (CHART,)),
    Action("chart.smooth_with", ("W",), "smooth with", "choose the kind of smoothing", (CHART,)),
    Action("chart.log_y", ("Y",), "log y", "y axis linear, logarithmic, or so on both sides of 0 (symlog)",
           (CHART,), footer=3),
    Action("chart.log_x", ("X",), "log x", "x axis linear, logarithmic, or so on both sides of 0 (symlog)", (CHART,)),
    Action("chart.axis", ("a",), "x axis", "x axis: what the runs define, step, relative time, wall time", (CHART,),
           footer=4),
    Action("chart.axis_by", ("A",), "x axis by", "choose the x axis: step, times, epoch or any metric", (CHART,)),
    Action("chart.raw", ("r",), "raw", "show the raw curve below the smoothed one (of groups, the band), or not",
           (CHART,)),
    Action("chart.left", ("h", "left"), "crosshair left", "move the crosshair left; with a number before it, that far",
           (CHART,)),
    Action("chart.right", ("l", "right"), "crosshair", "move the crosshair right", (CHART,), footer=5),
    Action("chart.pan_left", ("H",), "pan left", "move the zoomed chart left", (CHART,)),
    Action("chart.pan_right", ("L",), "pan right", "move the zoomed chart right", (CHART,)),
    Action("chart.zoom_in", ("+",), "zoom in", "zoom in around the crosshair", (CHART,), footer=6),
    Action("chart.zoom_out", ("-",), "zoom out", "zoom out", (CHART,)),
    Action("chart.zoom_all", ("0",), "zoom all", "show the whole x axis", (CHART,)),
    Action("chart.zoom_end", ("e",), "last 10 %", "show the last tenth of the x axis", (CHART,)),
    Action("chart.zoom_back", ("U",), "zoom back", "show the range of the x axis that was shown before", (CHART,)),
    Action("chart.trim", ("O",), "trim", "leave outliers out of the y axis, or not", (CHART,)),
    Action("chart.group", ("o",), "group", "draw runs that repeat each other as their mean, with a band", (CHART,)),
    Action("chart.colour_by", ("C",), "colour by", "a colour for each run, or for each setting", (CHART,)),
    Action("chart.names", ("K",), "names", "call curves by what tells their runs apart, or by name", (CHART,)),
    Action("chart.grid", ("v",), "grid", "charts in one, two, three columns, or as few as may be", (CHART,)),
    Action("chart.layout", ("c",), "layout", "draw the charts that the logs lay out: one of them, or all", (CHART,)),
    Action("chart.write", ("w",), "write", "write the chart as SVG and its curves as CSV", (CHART,)),
    Action("chart.next_run", ("n",), "next run", "put the next run in front of the others", (CHART,), footer=7),
    Action("chart.previous_run", ("N",), "previous run", "put the run before in front of the others", (CHART,)),
    Action("chart.isolate", ("i",), "isolate", "show only the run in front, or all", (CHART,)),
    # ------------------------------------------------------------ compare
    Action("compare.all", ("a",), "all/differing", "show all parameters, or only those that differ",
           (COMPARE,), footer=1),
    Action("compare.deltas", ("r",), "values/deltas", "show values, or differences to the baseline",
           (COMPARE,), footer=2),
    Action("compare.transpose", ("T",), "turn", "turn the comparison: a run on each line, or in each column",
           (COMPARE,)),
    Action("compare.code", ("c",), "code", "show all that changed in the code, or the tables again",
           (COMPARE,), footer=4),
    Action("compare.verdict", ("v",), "is it real", "say whether differences are more than chance, or the tables again",
           (COMPARE,), footer=5),
    Action("compare.images", ("I",), "images", "show the images that the runs logged beside each other, or the tables",
           (COMPARE,), footer=6),
    Action("compare.matrices", ("C",), "confusion", "confusion matrices side by side and subtracted, or the tables",
           (COMPARE,), footer=9),
    Action("compare.histograms", ("H",), "histograms", "histograms over the steps side by side, or the tables",
           (COMPARE,), footer=9),
    Action("compare.image", ("m",), "which", "choose which of the logged images, matrices or histograms", (COMPARE,)),
    Action("compare.at", ("@",), "at best", "tell each metric, too, where the one of this row is best, or no longer",
           (COMPARE,)),
    Action("compare.fold_all", ("O",), "fold all", "close all parents of parameters and groups of slices, or open them",
           (COMPARE,)),
    Action("compare.sort", ("enter",), "sort runs", "sort the runs by this row; open or close this parent",
           (COMPARE,), footer=3),
    Action("lists.left", ("h", "left"), "left", "move the columns back; of images and histograms the step before",
           _LISTS),
    Action("lists.right", ("l", "right"), "more runs", "to the columns that have no room; of images, the next step",
           _LISTS),
    *(Action(f"lists.section_{n}", (f"{n}",), f"section {n}", f"go to section {n}", (COMPARE, RUN))
      for n in range(1, 9)),
    # ------------------------------------------------------------ run
    Action("run.open", ("enter",), "look", "go to what stands behind this fact, and back", _RUN, footer=1),
    Action("run.previous_step", ("h", "left"), "step back", "the step before of an image, a histogram or a text", _RUN),
    Action("run.next_step", ("l", "right"), "step", "the next step of an image, a histogram or a text", _RUN, footer=2),
    Action("run.zoom_in", ("+",), "zoom in", "zoom into the image", _RUN, footer=3),
    Action("run.zoom_out", ("-",), "zoom out", "zoom out of the image", _RUN),
    Action("run.zoom_all", ("0",), "zoom all", "show the whole image", _RUN),
    Action("run.pan_left", ("H",), "pan left", "move the zoomed image left", _RUN),
    Action("run.pan_right", ("L",), "pan right", "move the zoomed image right", _RUN),
    Action("run.pan_up", ("K",), "pan up", "move the zoomed image up", _RUN),
    Action("run.pan_down", ("J",), "pan down", "move the zoomed image down", _RUN),
    Action("run.graphics", ("i",), "graphics", "draw images of cells, or by the terminal's own graphics: kitty, sixel",
           (COMPARE, *_RUN)),
    Action("run.write", ("w",), "write", "write what was logged at this step to a file", _RUN, footer=4),
    Action("problems.open", ("enter",), "run", "show the run that the problem belongs to", (PROBLEMS,), footer=1),
    Action("problems.filter", ("f",), "find", "list only the problems that have a text in them", (PROBLEMS,), footer=2),
    # ------------------------------------------------------------ everywhere
    Action("app.report", ("x",), "report", "write a Markdown report of the marked runs (else of all shown)", footer=14),
    Action("app.copy_id", ("y y", "y i"), "copy id", "copy the id of this run"),
    Action("app.copy_command", ("y c",), "copy command", "copy the mlbench command that prints what this pane shows"),
    Action("app.copy_rerun", ("y r",), "copy rerun", "copy the checkout and the command that repeat this run"),
    Action("app.copy_path", ("y p",), "copy path", "copy the path of this run"),
    Action("app.copy_markdown", ("y m",), "copy Markdown", "copy the marked runs as a Markdown table"),
    Action("app.views", ("'",), "views", "open a saved view"),
    Action("app.save_view", ("M",), "save view", "save query, columns, order, groups and marked runs under a name"),
    Action("app.undo", ("u",), "undo", "take back the last tag, note, baseline or archive mark", footer=20),
    Action("app.redo", ("ctrl+r",), "redo", "say again what was taken back"),
    Action("app.history_back", ("[",), "back in history", "back to the place before: its query, order and pane"),
    Action("app.history_forward", ("]",), "forward in history", "forward again"),
    Action("app.next_pane", ("tab",), "next pane", "go to the next pane", footer=18),
    Action("app.previous_pane", ("shift+tab",), "previous pane", "go to the pane before"),
    Action("app.zoom", ("z",), "zoom", "give this pane the whole screen, or give it back", footer=19),
    Action("app.back", ("q",), "back", "back to the runs; from there, quit"),
    Action("app.leave", ("escape",), "back", "back to the runs", _DETAILS, footer=8),
    Action("app.help", ("?",), "help", "the keys that work in this pane"),
    Action("app.command", (":",), "command", "the command line: filter, set, every action by its id", footer=21),
    Action("app.palette", ("ctrl+p",), "palette", "find an action by its name"),
    Action("app.problems", (), "problems", "list what could not be read (also :problems)"),
    Action("app.settings", (",",), "settings", "list the settings: value, where it comes from, what it means"),
    Action("app.reload", ("R",), "reload", "look for new runs and points again"),
    Action("app.quit", ("ctrl+q", "ctrl+c"), "quit", "leave the workbench"),
    Action("app.stop", ("ctrl+z",), "stop", "give the terminal to the shell; fg there brings the workbench back"),
    # ------------------------------------------------------------ moving
    Action("move.down", ("j", "down"), "down", "one down; with a number before it, that many"),
    Action("move.up", ("k", "up"), "up", "one up"),
    Action("move.page_down", ("ctrl+d", "pagedown"), "page down", "a page down"),
    Action("move.page_up", ("ctrl+u", "pageup"), "page up", "a page up"),
    Action("move.top", ("g", "home"), "top", "to the first"),
    Action("move.bottom", ("G", "end"), "bottom", "to the last"),
    Action("runs.left", ("h", "left"), "column left", "the column to the left", (RUNS,)),
    Action("runs.right", ("l", "right"), "column right", "the column to the right", (RUNS,)),
)  # fmt: skip

BY_ID = {action.id: action for action in ACTIONS}
DRAWN = frozenset((
    "chart.smoothing", "chart.smooth_by", "chart.smooth_with", "chart.log_y", "chart.log_x", "chart.axis",
    "chart.axis_by", "chart.raw", "chart.left", "chart.right", "chart.pan_left", "chart.pan_right", "chart.zoom_in",
    "chart.zoom_out", "chart.zoom_all", "chart.zoom_end", "chart.zoom_back", "chart.trim", "chart.group",
    "chart.colour_by", "chart.names", "chart.grid", "run.zoom_in", "run.zoom_out", "run.zoom_all", "run.pan_left",
    "run.pan_right", "run.pan_up", "run.pan_down", "run.graphics",
))  # fmt: skip
"""Actions that change only how curves and pictures are drawn: where they are told in words, they do nothing."""
TABLED = frozenset(("compare.all", "compare.deltas", "compare.sort"))
"""Actions of the comparison's tables: over its code, images, matrices, histograms and verdict nothing shows them."""

_NAMES = {
    "space": "space", "enter": "enter", "escape": "esc", "pagedown": "PgDn", "pageup": "PgUp", "home": "Home",
    "end": "End", "left": "←", "right": "→", "up": "↑", "down": "↓", "tab": "tab", "shift+tab": "shift+tab",
}  # fmt: skip


def key_text(keys: str) -> str:
    """A key, or one after another, as people read it: `esc`, `PgDn`, `yc`."""
    shown = [_NAMES.get(key, key) for key in keys.split(" ")]
    return "".join(shown) if all(len(key) == 1 for key in shown) else " ".join(shown)


def usual_key(action_id: str) -> str:
    """What an action's key is as long as nobody remaps it, as people read it."""
    return key_text(BY_ID[action_id].keys[0])


def actions_of(pane: str) -> tuple[Action, ...]:
    """What works in a pane, its own actions first."""
    own = [action for action in ACTIONS if action.panes and action.works_in(pane)]
    return (*own, *(action for action in ACTIONS if not action.panes))
