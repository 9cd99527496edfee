"""How the charts look: metrics, smoothing, runs in front, and files of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from mlbench.render.layouts import drawn_text
from mlbench.tui.actions import CHART
from mlbench.tui.completion import Completion, complete_metric, matching, split_metrics
from mlbench.tui.desk import Desk
from mlbench.tui.doing.types import Handler
from mlbench.tui.menu import Choice, Menu
from mlbench.tui.prompts import Prompt
from mlbench.tui.smoothings import SMOOTHINGS, is_smoothing
from mlbench.tui.view import next_of

if TYPE_CHECKING:
    from mlbench.queries.layouts import LayoutsAnswer
    from mlbench.tui.widgets.chart_view import Picture

NO_LAYOUT = "these runs have no layout of charts"


def choose_metrics(desk: Desk, _n: int) -> None:
    """Name the metrics of the charts."""

    def accepted(text: str) -> None:
        metrics = split_metrics(text)
        if metrics:
            desk.change(
                desk.view.charted(
                    metrics=_spelt(desk, metrics), laid=(), margins=(), crosshair=None, limits=None, past_limits=()
                )
            )

    desk.ask_user(
        Prompt(
            "metrics",
            accepted,
            complete=lambda text, cursor: complete_metric(text, cursor, desk.answers.names, first=at_hand(desk)),
            hint="a few letters and tab; several with commas between",
            history="metrics",
        )
    )


def show_layout(desk: Desk, name: str) -> None:
    """Draw the charts that the logs of the runs at hand lay out: all, or those of a title or category."""
    ids, details = desk.compared(), desk.session.details

    def take(found: LayoutsAnswer) -> None:
        charts = [chart for chart in found.charts if chart.names]
        if not charts:
            desk.say(f"no chart of a layout is named '{name}'" if name else NO_LAYOUT, "bad")
            return
        margins = tuple((chart.name, one.lower, one.upper) for chart in charts for one in chart.margins)
        metrics = tuple(dict.fromkeys(metric for chart in charts for metric in chart.names))
        view = desk.view.charted(
            metrics=metrics, laid=tuple((chart.name, chart.lines) for chart in charts), margins=margins,
            crosshair=None, limits=None, past_limits=(),
        )  # fmt: skip
        desk.change(replace(view, pane=CHART, is_zoomed=True, shown_run=""))

    desk.asker.ask("layout", lambda: details.layouts(ids, name or "*"), take, lane="detail")


def choose_layout(desk: Desk, _n: int) -> None:
    """Pick one of the charts that the logs lay out, or all."""
    ids, details = desk.compared(), desk.session.details

    def take(found: LayoutsAnswer) -> None:
        charts = [chart for chart in found.charts if chart.names]
        if not charts:
            desk.say(NO_LAYOUT, "muted")
            return
        every = Choice("", f"all {len(charts)} charts") if len(charts) > 1 else None
        choices = (Choice(chart.name, chart.name, drawn_text(chart)) for chart in charts)
        menu = Menu((*([every] if every else []), *choices))
        desk.ask_user(Prompt("layout", lambda text: show_layout(desk, text), menu=menu,
                             hint="the charts that the logs of these runs lay out"))  # fmt: skip

    desk.waiting.ask("layout", lambda: details.layouts(ids, "*"), take, lane="detail")


def at_hand(desk: Desk) -> tuple[str, ...]:
    """The metrics of the runs under comparison, as far as these are known; what others have is no curve here."""
    diff = desk.answers.diff
    here = {row.metric for row in diff.metrics} if diff is not None else set()
    here |= {one.metric for one in desk.answers.members.spreads} if desk.answers.members is not None else set()
    here |= {one.metric for one in desk.answers.series}
    return tuple(metric for metric in desk.answers.names.metrics if metric in here)


def _spelt(desk: Desk, typed: tuple[str, ...]) -> tuple[str, ...]:
    """Each name as it is, or the metric that it fits, of these runs rather than of others: `v/l` is `val/loss`."""
    known = desk.answers.names.metrics

    def meant(name: str) -> str:
        found = (*matching(name, at_hand(desk), most=1), *matching(name, known, most=1))
        return name if name in known else next(iter(found), name)

    return tuple(dict.fromkeys(map(meant, typed)))


def next_smoothing(desk: Desk, _n: int) -> None:
    """The next amount: of the weights in the settings, or of the points of this kind."""
    look = desk.view.chart
    levels = SMOOTHINGS[look.smoothing_kind].levels or desk.settings.smoothing_levels
    desk.change(desk.view.charted(smoothing=float(next_of(levels, look.smoothing))))


def smooth_with(desk: Desk, _n: int) -> None:
    """Choose the kind of smoothing."""
    choices = [Choice(kind, kind, one.does) for kind, one in SMOOTHINGS.items()]

    def accepted(kind: str) -> None:
        look = desk.view.chart
        is_alike = SMOOTHINGS[kind].is_weight == SMOOTHINGS[look.smoothing_kind].is_weight
        amount = look.smoothing if is_alike and look.smoothing else SMOOTHINGS[kind].usual
        desk.change(desk.view.charted(smoothing_kind=kind, smoothing=amount))

    desk.ask_user(
        Prompt("smooth with", accepted, menu=Menu(tuple(choices)), refuses=lambda kind: kind not in SMOOTHINGS,
               hint="the raw curve stays, faint; s takes the next amount, S types one")
    )  # fmt: skip


def smooth_by(desk: Desk, _n: int) -> None:
    """Type the kind and the amount."""
    look = desk.view.chart
    desk.ask_user(
        Prompt(
            "smoothing",
            lambda text: set_smoothing(desk, text),
            text=_typed_smoothing(look.smoothing_kind, look.smoothing),
            complete=_complete_kind,
            hint="0 (raw) up to, not including, 1, as in TensorBoard; or: twema 0.9, mean 20, gaussian 5",
        )
    )


def _typed_smoothing(kind: str, amount: float) -> str:
    return f"{amount:g}" if kind == "ema" else f"{kind} {amount:g}"


def _complete_kind(text: str, cursor: int) -> Completion:
    typed = text[:cursor]
    return Completion(0, cursor, matching(typed, SMOOTHINGS) if typed and typed.isalpha() else ())


def set_smoothing(desk: Desk, text: str) -> None:
    """Take what was typed: `0.9`, which is TensorBoard's, or a kind and its amount, `mean 20`."""
    kind, blank, rest = text.strip().rpartition(" ")
    kind = kind.strip() or "ema"
    if not blank and rest in SMOOTHINGS:
        kind, rest = rest, str(SMOOTHINGS[rest].usual)
    try:
        amount = float(rest)
    except ValueError:
        amount = -1.0
    if is_smoothing(kind, amount):
        desk.change(desk.view.charted(smoothing=amount, smoothing_kind=kind))
    elif kind not in SMOOTHINGS or rest in SMOOTHINGS:
        desk.say(f"no smoothing '{text}'. Try 0.9, or one of: twema 0.9, mean 20, gaussian 5", "bad")
    elif SMOOTHINGS[kind].is_weight:
        desk.say(f"smoothing '{text}' is not from 0 up to, not including, 1. Try 0.9", "bad")
    else:
        desk.say(f"smoothing '{text}' is no number of points. Try: {kind} {SMOOTHINGS[kind].usual:g}", "bad")


def write_charts(desk: Desk, _n: int) -> None:
    """Ask for a name, and write what the charts show as SVG and CSV files; nothing is replaced."""
    charts = desk.panes.chart.pictures()
    if not charts:
        desk.say("there is no chart to write", "muted")
        return
    stem = "-".join(part for part in charts[0].metric.replace("/", "-").split() if part)[:40]
    desk.ask_user(
        Prompt("write to", lambda text: _write(desk, charts, text), text=f"{stem}.svg",
               hint="the curves go beside it, as .csv", does="writes")
    )  # fmt: skip


def _write(desk: Desk, charts: Sequence[Picture], text: str) -> None:
    import os

    from mlbench.errors import MlbenchError
    from mlbench.render.chart_svg import chart_svg
    from mlbench.render.export import write_file
    from mlbench.render.records import Records, write

    stem, ending = os.path.splitext(os.path.expanduser(text.strip()))
    if not stem or ending not in ("", ".svg", ".csv"):
        desk.say("give a name that ends in .svg", "bad")
        return
    try:
        for index, chart in enumerate(charts):
            path = f"{stem}{f'-{index + 1}' if index else ''}"
            rows = tuple(
                (curve.label or "raw", chart.metric, x, y)
                for curve in chart.curves
                for x, y in zip(curve.x.tolist(), curve.y.tolist(), strict=True)
            )
            write_file(f"{path}.svg", chart_svg(chart.curves, chart.options, chart.bands), is_new=True)
            write_file(f"{path}.csv", write(Records(("curve", "metric", "x", "y"), rows), "csv"), is_new=True)
    except MlbenchError as error:
        desk.complain(error)
        return
    desk.say(
        f"{stem}.svg and {stem}.csv written" + (f", and {len(charts) - 1} more of each" if len(charts) > 1 else "")
    )


def bring_to_front(desk: Desk, step: int) -> None:
    """Put the next run in front; after the last one, none."""
    ids = ["", *dict.fromkeys(one.head.run_id for one in desk.answers.series)]
    front = desk.view.chart.front
    place = ids.index(front) if front in ids else 0
    desk.change(desk.view.charted(front=ids[(place + step) % len(ids)]))


def isolate(desk: Desk, _n: int) -> None:
    """Show only the run in front, or all again."""
    if not desk.view.chart.front:
        bring_to_front(desk, 1)
    desk.change(desk.view.charted(is_isolated=not desk.view.chart.is_isolated))


def name_curves(desk: Desk, _n: int) -> None:
    """Call the curves by the names of their runs, or by the parameters that tell them apart."""
    if not desk.answers.labels.telling(desk.answers.series):
        desk.say("no few parameters tell these runs apart: the legend has their names", "muted")
        return
    desk.change(desk.view.charted(has_names=not desk.view.chart.has_names))


def next_grid(desk: Desk, _n: int) -> None:
    """The next number of charts beside each other; it is said: where there is no room nothing else shows it."""
    n_columns = int(next_of((0, 1, 2, 3), desk.view.chart.n_columns))
    desk.change(desk.view.charted(n_columns=n_columns))
    if len({one.metric for one in desk.answers.series}) < 2:
        desk.say(f"there is one chart: {desk.key('chart.metrics')} chooses more metrics", "muted")
        return
    many = {0: "as few columns as may be", 1: "one column"}
    desk.say(f"charts in {many.get(n_columns) or f'{n_columns} columns, or as many as have room'}", "muted")


def _turned(field: str) -> Handler:
    def turn(desk: Desk, _n: int) -> None:
        desk.change(desk.view.charted(**{field: not getattr(desk.view.chart, field)}))

    return turn


HANDLERS: Mapping[str, Handler] = {
    "chart.metrics": choose_metrics,
    "chart.smoothing": next_smoothing,
    "chart.smooth_by": smooth_by,
    "chart.smooth_with": smooth_with,
    "chart.raw": _turned("has_raw"),
    "chart.trim": _turned("is_trimmed"),
    "chart.group": _turned("is_grouped"),
    "chart.names": name_curves,
    "chart.colour_by": lambda desk, _n: desk.change(
        desk.view.charted(colour_by=next_of(("run", "setting"), desk.view.chart.colour_by))
    ),
    "chart.grid": next_grid,
    "chart.layout": choose_layout,
    "chart.write": write_charts,
    "chart.next_run": lambda desk, _n: bring_to_front(desk, 1),
    "chart.previous_run": lambda desk, _n: bring_to_front(desk, -1),
    "chart.isolate": isolate,
}
