"""Charts of the runs under comparison: a thin shell over `render.chart`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field, replace
from typing import TYPE_CHECKING

from textual.geometry import Region, Size
from textual.strip import Strip
from textual.widget import Widget

from mlbench.dataclass import dataclass
from mlbench.render.cells import Cell, Line, fit_middle, line_of
from mlbench.safe import Safe, safe
from mlbench.tui.paint import both_ends, changed_spans, cropped, strip_of
from mlbench.tui.run_page import wrapped_text
from mlbench.tui.session import ChartLabels
from mlbench.tui.theme import Looks
from mlbench.tui.view import ChartLook, axis_of
from mlbench.tui.widgets.chart_grid import grid, shares
from mlbench.tui.widgets.chart_title import AXIS_WORDS, shown_remarks, title_lines, x_text

if TYPE_CHECKING:
    from mlbench.queries.answers import SeriesAnswer
    from mlbench.render.axes import Axis
    from mlbench.render.chart import Chart, ChartOptions, Curve
    from mlbench.render.chart_bands import Band
    from mlbench.render.chart_text import CurveOptions
    from mlbench.tui.widgets.crosshair import Crossed

MOST_CROSSED = 6
"""Metrics in the table at the crosshair."""


@dataclass(frozen=True, slots=True)
class ChartState:
    """All that the charts show."""

    series: tuple[SeriesAnswer, ...] = ()
    look: ChartLook = field(default_factory=ChartLook)
    slots: Mapping[str, int] = field(default_factory=dict)
    """Colour slot by run id."""
    labels: ChartLabels = field(default_factory=ChartLabels)
    """What the runs may be called, once it is known."""
    baseline: str = ""
    glyphs: str = "braille"
    is_plain: bool = False
    """No colours: patterns tell the curves apart."""
    message: str = ""
    """Said in place of charts where there are none."""
    left_out: str = ""
    """How many runs are drawn of how many, where they are too many."""
    n_runs: int = 0
    """Runs whose series were asked for, with those that have none."""


@dataclass(frozen=True, slots=True)
class Picture:
    """What a chart is drawn from."""

    metric: str
    curves: tuple[Curve, ...]
    bands: tuple[Band, ...]
    options: ChartOptions


@dataclass(frozen=True, slots=True)
class _Drawn:
    """One chart in its place."""

    chart: Chart
    picture: Picture


class ChartView(Widget):
    """A title, charts below and beside each other, and the values at the crosshair."""

    ALLOW_SELECT = False

    def __init__(self, looks: Looks, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self.looks = looks
        self.state = ChartState()
        self.is_at_work = False
        self.first_metric = 0
        self.first_line = 0
        """In words: the first line that is seen."""
        self._lines: tuple[Line, ...] = ()
        self._drawn: tuple[_Drawn, ...] = ()
        self._shape = 1, 1  # columns and rows of the charts
        self._is_stale = True
        self._drawn_size = Size(0, 0)

    def show(self, state: ChartState) -> None:
        """Show other series, or the same ones in another look."""
        if state.look.metrics != self.state.look.metrics:
            self.first_metric = self.first_line = 0
        before, self.state = self._lines, state
        self._is_stale = True
        if self._drawn_size != self.size or not self.display:
            self.refresh()
            return
        self._draw_if_stale()
        regions = changed_spans(before, self._lines, self.size.width)
        if regions:
            self.refresh(*regions)

    def set_at_work(self, is_at_work: bool) -> None:
        """Whether keys go to this pane."""
        if is_at_work != self.is_at_work:
            self.is_at_work = is_at_work
            self._is_stale = True  # its title is of another colour
            self.refresh(Region(0, 0, self.size.width, 1))

    def move_by(self, n: int) -> None:
        """Show the metrics after these or before them, where not all have room; in words, so many lines more."""
        if self.looks.is_linear:
            self.first_line = max(self.first_line + n, 0)
        else:
            most = max(len(self._metrics()) - 1, 0)
            self.first_metric = min(max(self.first_metric + (1 if n > 0 else -1), 0), most)
        self._is_stale = True
        self.refresh()

    @property
    def page_rows(self) -> int:
        """How far a page goes with `move_by`."""
        return max(self.size.height - 1, 1) if self.looks.is_linear else 1

    @property
    def cursor_row(self) -> int:
        """The row of the pane that is read first."""
        return int(self.looks.is_linear)

    # ------------------------------------------------------------ crosshair and zoom

    @property
    def x_axis(self) -> Axis | None:
        """The x axis as it is drawn; None without a chart."""
        self._draw_if_stale()
        return self._drawn[0].chart.frame.x_axis if self._drawn else None

    def x_extent(self) -> tuple[float, float] | None:
        """The least and the greatest x of the curves that has a place on the axis, shown or not; None without one."""
        import numpy as np

        least = 0.0 if self.state.look.log_x else -np.inf
        curves = [curve for picture in self.pictures() for curve in picture.curves]
        known = [x for curve in curves if (x := curve.x[np.isfinite(curve.x) & (curve.x > least)]).size]
        return (min(float(x.min()) for x in known), max(float(x.max()) for x in known)) if known else None

    def pictures(self) -> tuple[Picture, ...]:
        """What the charts on the screen are drawn from; in words, those that would be."""
        self._draw_if_stale()
        if self.looks.is_linear:
            return tuple(self._chart(one, *self.size, has_header=False).picture for one in self._metrics())
        return tuple(drawn.picture for drawn in self._drawn)

    def x_beside(self, columns: int) -> float | None:
        """The x value so many columns from the crosshair; from the middle where there is none yet."""
        self._draw_if_stale()
        if not self._drawn:
            return None
        from mlbench.render.chart_frame import column_at, x_at

        frame = self._drawn[0].chart.frame
        here = None if self.state.look.crosshair is None else column_at(frame, self.state.look.crosshair)
        if here is None:
            here, columns = frame.left + frame.width // 2, 0
        return x_at(frame, min(max(here + columns, frame.left), frame.left + frame.width - 1))

    # ------------------------------------------------------------ drawing

    def render_line(self, y: int) -> Strip:
        """One line of the screen."""
        self._draw_if_stale()
        ground = "bar" if self.is_at_work and y == 0 else ""
        return strip_of(self._lines[y] if y < len(self._lines) else (), self.looks, self.size.width, ground=ground)

    def _metrics(self) -> list[str]:
        """The chosen metrics that a run has; where none was chosen, those that came. Of a layout the titles."""
        known = dict.fromkeys(one.metric for one in self.state.series)
        if self.state.look.laid:
            return [title for title, metrics in self.state.look.laid if not known.keys().isdisjoint(metrics)]
        return [metric for metric in self.state.look.metrics or known if metric in known]

    def _series_of(self, chart: str) -> list[SeriesAnswer]:
        """The series of a chart: of a metric, or of those that a log lays out together."""
        metrics = dict(self.state.look.laid).get(chart, (chart,))
        return [one for one in self.state.series if one.metric in metrics]

    def _draw_if_stale(self) -> None:
        if not self._is_stale and self._drawn_size == self.size:
            return
        self._is_stale = False
        self._drawn_size = self.size
        width, height = self.size
        metrics = self._metrics()
        self.first_metric = min(self.first_metric, max(len(metrics) - 1, 0))
        if not metrics or width < 8 or height < 4:
            self._drawn = ()
            self._lines = (*self._title(width, 0), (), *wrapped_text(self.state.message, width, "muted"))
            return
        if self.looks.is_linear:
            self._drawn = ()
            self._lines = self._spoken(metrics, width, height)
            return
        values = self._value_lines(width, height)
        self._lines = (*self._charts(metrics, width, height - len(values), len(values)), *values)

    def _charts(self, metrics: Sequence[str], width: int, height: int, n_below: int) -> list[Line]:
        """The title, on two lines where one chart has much to say, and the charts."""
        n_hidden = self._draw_charts(metrics, width, height - 1, n_below)
        lines = list(self._title(width, n_hidden))
        room = height - len(lines)
        if len(lines) > 1:
            self._draw_charts(metrics, width, room, n_below)
        columns, rows = self._shape
        widths, heights = shares(width, columns), shares(room, rows)
        for row in range(rows):
            lines += self._beside(self._drawn[row * columns : (row + 1) * columns], widths, heights[row])
        return lines

    def _draw_charts(self, metrics: Sequence[str], width: int, room: int, n_below: int) -> int:
        """Draw as many charts as have room; how many have none."""
        columns, rows = grid(len(metrics), width, room + n_below, self.state.look.n_columns, n_below=n_below)
        shown = metrics[self.first_metric : self.first_metric + columns * rows]
        rows = min(rows, -(-len(shown) // columns))
        heights = shares(room, rows)
        widths = shares(width, columns)
        self._shape = columns, rows
        self._drawn = tuple(
            self._chart(metric, widths[place % columns] - 2, heights[place // columns], has_header=len(shown) > 1)
            for place, metric in enumerate(shown)
        )
        return len(metrics) - len(shown)

    def _spoken(self, metrics: Sequence[str], width: int, height: int) -> tuple[Line, ...]:
        """The curves in words, those of the run in front first, and alone where it is isolated."""
        from mlbench.render.spoken import spoken_series

        look = self.state.look
        told = [one for metric in metrics for one in self._series_of(metric)]
        is_alone = look.is_isolated and any(one.head.run_id == look.front for one in told)
        told = [one for one in told if not is_alone or one.head.run_id == look.front]
        lines = spoken_series(sorted(told, key=lambda one: one.head.run_id != look.front), width)
        n_rows = height - 1
        self.first_line = min(self.first_line, max(len(lines) - n_rows, 0))
        stop = min(self.first_line + n_rows, len(lines))
        where = f"lines {self.first_line + 1:,} to {stop:,} of {len(lines):,} " if n_rows < len(lines) else ""
        name = fit_middle(safe(", ".join(metrics)), max(width - len(where) - 3, 8))
        title = both_ends(line_of((" ", ""), (name, "title")), line_of((where, "muted")), width)
        return (title, *lines[self.first_line : stop])

    def _beside(self, charts: Sequence[_Drawn], widths: Sequence[int], height: int) -> list[Line]:
        """Charts of one row of the grid as lines."""
        lines: list[Line] = []
        for y in range(height):
            line: Line = ()
            for drawn, width in zip(charts, widths, strict=False):
                own = self._crossed(drawn.chart, y) if y < len(drawn.chart.lines) else ()
                line = (*line, Cell(safe(" ")), *both_ends(own, (), width - 1))
            lines.append(line)
        return lines

    def _crossed(self, chart: Chart, y: int) -> Line:
        """A line of a chart with the crosshair where nothing else is drawn."""
        line, frame, x = chart.lines[y], chart.frame, self.state.look.crosshair
        if x is None or not frame.top <= y < frame.top + frame.height:
            return line
        from mlbench.render.chart_frame import column_at

        column = column_at(frame, x)
        if column is None:
            return line
        middle = cropped(line, column, 1)
        is_blank = not middle or not middle[0].text.strip(" \u2800")
        cross = Cell(safe("│"), "accent") if is_blank else middle[0]
        return (*both_ends(cropped(line, 0, column), (), column), cross, *cropped(line, column + 1, self.size.width))

    def _chart(self, metric: str, width: int, height: int, *, has_header: bool) -> _Drawn:
        from mlbench.render.chart import ChartOptions, draw_chart
        from mlbench.render.chart_text import CurveOptions, completed

        look = self.state.look
        series = self._series_of(metric)
        axis = axis_of(look, self.state.series)
        options = CurveOptions(
            axis, look.smoothing, look.smoothing_kind, has_raw=look.has_raw, is_plain=self.state.is_plain
        )
        curves, bands = self._curves(series, options)
        bands = (*self._margins(metric, axis), *bands)
        limits: tuple[float | None, float | None] = look.limits or (None, None)
        chart = ChartOptions(
            width, height, x_limits=limits, glyphs=self.state.glyphs, title=metric, has_header=has_header,
            is_trimmed=look.is_trimmed, is_shaded=self.state.is_plain,
        ).scaled(look.x_scale, look.y_scale)  # fmt: skip
        picture = Picture(metric, tuple(curves), tuple(bands), completed(chart, options, series))
        remarks = shown_remarks(picture.options.remarks, len({one.head.run_id for one in series}), self.state.n_runs)
        return _Drawn(draw_chart(curves, replace(picture.options, remarks=remarks), bands), picture)

    def _curves(self, series: Sequence[SeriesAnswer], options: CurveOptions) -> tuple[Sequence[Curve], Sequence[Band]]:
        """The curves of one metric: of runs, or where they are grouped the mean of those that repeat each other."""
        from mlbench.render.chart_text import group_curves, series_curves

        look, settings = self.state.look, self.state.labels.settings
        if look.is_grouped and all(one.head.run_id in settings for one in series):
            return group_curves(series, settings, options, band="minmax" if look.has_raw else "none")
        slots = self.state.slots
        if look.colour_by == "setting" and settings:
            places = {label: place for place, label in enumerate(dict.fromkeys(settings.values()))}
            slots = {run_id: places[label] for run_id, label in settings.items()}
        return self._in_front(series, series_curves(series, options, slots=slots, labels=self._told)), ()

    @property
    def _told(self) -> Mapping[str, Safe]:
        """What tells the runs apart, where they are called by it."""
        return {} if self.state.look.has_names else self.state.labels.telling(self.state.series)

    def _margins(self, chart: str, axis: str) -> tuple[Band, ...]:
        """The bands of a chart that a log lays out; none over runs that are drawn as their mean."""
        look = self.state.look
        ends = [(lower, upper) for title, lower, upper in look.margins if title == chart]
        if not ends or look.is_grouped:
            return ()
        from mlbench.render.chart_margins import margin_bands

        is_alone = look.is_isolated and look.front
        slots = {run_id: slot for run_id, slot in self.state.slots.items() if not is_alone or run_id == look.front}
        return margin_bands(self.state.series, ends, axis, slots)

    def _in_front(self, series: Sequence[SeriesAnswer], curves: Sequence[Curve]) -> list[Curve]:
        """The run in front last, so that it covers the others, which are muted; alone, where it is isolated."""
        look, baseline = self.state.look, self.state.baseline
        curves = [replace(one, is_baseline=bool(baseline) and one.owner == baseline) for one in curves]
        run_ids = [one.head.run_id for one in series]
        if look.front not in run_ids:
            return curves
        mine = [curve for curve in curves if curve.owner == look.front]
        if look.is_isolated:
            return mine
        others = [replace(curve, role="muted") for curve in curves if curve.owner != look.front and not curve.is_faint]
        return [*others, *mine]

    def _title(self, width: int, n_hidden: int) -> tuple[Line, ...]:
        look = self.state.look
        said = [] if look.smoothing or not self._drawn else ["raw"]
        # What one chart says of itself stands here; several have lines of their own for it.
        said += self._drawn[0].chart.header.split("   ")[1:] if len(self._drawn) == 1 else []
        axis = axis_of(look, self.state.series)
        said += [f"no {look.over} in these runs"] * (look.over not in ("", axis))
        said += [self.state.left_out] * bool(self.state.left_out)
        said += [f"x {AXIS_WORDS.get(axis, axis)}"] + ["zoomed"] * (look.limits is not None)
        said += [f"+{n_hidden} more"] * (n_hidden > 0)
        return title_lines(
            (not look.laid and look.metrics) or self._metrics(), said, width, is_at_work=self.is_at_work,
            has_second=len(self._drawn) == 1,
        )  # fmt: skip

    # ------------------------------------------------------------ values at the crosshair

    def _value_lines(self, width: int, height: int) -> tuple[Line, ...]:
        """What stands at the crosshair, on a third of the lines at most; () where it is not shown."""
        look = self.state.look
        if look.crosshair is None:
            return ()
        from mlbench.render.chart_text import CurveOptions
        from mlbench.tui.widgets.crosshair import lines_below

        axis = axis_of(look, self.state.series)
        options = CurveOptions(axis, look.smoothing, look.smoothing_kind, has_raw=False, has_older=False)
        every = self._metrics()
        titles = every[self.first_metric :]
        found = [[one for part in self._by_metric(title)
                  if (one := self._crossing(part, options, look.crosshair)) is not None]
                 for title in titles[:MOST_CROSSED]]  # fmt: skip
        # A metric that is drawn in two charts stands at the crosshair once.
        charts = list({one.metric: one for metrics in found for one in metrics}.values())[:MOST_CROSSED]

        def n_charts(n_lines: int) -> int:
            columns, rows = grid(len(every), width, height - 1, look.n_columns, n_below=n_lines)
            return min(columns * rows, len(titles))

        at = f"{axis} {x_text(axis, look.crosshair)}"
        return tuple(lines_below(charts, next(filter(None, found), []), at, width, height // 3, n_charts))

    def _by_metric(self, chart: str) -> list[list[SeriesAnswer]]:
        """The series of a chart, metric by metric."""
        parts: dict[str, list[SeriesAnswer]] = {}
        for one in self._series_of(chart):
            parts.setdefault(one.metric, []).append(one)
        return list(parts.values())

    def _crossing(self, series: Sequence[SeriesAnswer], options: CurveOptions, x: float) -> Crossed | None:
        """One metric at the crosshair."""
        from mlbench.tui.widgets.crosshair import crossed

        curves, _bands = self._curves(series, options)
        return crossed(series[0].metric, curves, x, baseline=self.state.baseline, goal=series[0].goal)
