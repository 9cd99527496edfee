"""What stands behind one fact of a run: its curve, its picture, its text, its patch; and where it comes from. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from mlbench.render.cells import Cell, Line, line_of
from mlbench.render.markdown_cells import markdown_lines
from mlbench.render.numbers import duration, moment_of, size, timestamp, value_exact, value_text
from mlbench.render.patch import patch_counts, patch_lines
from mlbench.render.show import note_origin, ordered_params, said_text, series_remarks, show_sections
from mlbench.safe import safe, text_of_path
from mlbench.tui.actions import usual_key
from mlbench.tui.placed import BY_CELLS, Drawing, Placed, placed_picture
from mlbench.tui.run_page import wrapped_text
from mlbench.tui.widgets.lines_view import Page

if TYPE_CHECKING:
    from mlbench.queries.answers import LayeredParam, ProblemLine, SeriesAnswer, SeriesHead, ShowAnswer
    from mlbench.queries.blobs import BlobPlace
    from mlbench.queries.matrix import MatrixAnswer
    from mlbench.render.ansi import Depth
    from mlbench.wire.pictures import Pixels

MOST_ZOOM = 32.0
LEAST_CHART_ROWS, MOST_CHART_ROWS = 8, 24
"""A higher chart says no more, and pushes the facts off the screen."""


@dataclass(frozen=True, slots=True)
class Paper:
    """What a stage is drawn on."""

    width: int
    height: int
    """Lines below the title."""
    glyphs: str = "braille"
    depth: Depth = "truecolor"
    is_light: bool = False
    smoothing: float = 0.0
    smoothing_kind: str = "ema"
    slot: int = 0
    key_of: Callable[[str], str] = usual_key
    """Id of an action to the key that is shown for it."""
    is_linear: bool = False
    """For a screen reader: numbers in the place of pictures."""
    drawing: Drawing = BY_CELLS
    """How the terminal draws pictures."""


@dataclass(frozen=True, slots=True, eq=False)
class Looked:
    """The fact that is looked at, and what was fetched for it so far."""

    key: str = ""
    """`section:place`, as the page of the run has it; '' for none."""
    places: tuple[BlobPlace, ...] = ()
    """Of what was logged, one for each step."""
    index: int = 0
    """Which of the places is shown."""
    content: object = None
    """Of that place: pixels, a histogram, rows of text, a PR curve; a ProblemLine where it could not be read."""
    histograms: tuple[tuple[int, object], ...] = ()
    """Steps and histograms over the whole training, for a picture of them."""
    series: SeriesAnswer | None = None
    patch: tuple[str, str] | None = None
    """Path and text."""
    zoom: float = 1.0
    x: float = 0.5
    y: float = 0.5
    """Middle of what is seen of a picture, as shares of it."""

    @property
    def place(self) -> BlobPlace | None:
        return self.places[self.index] if self.index < len(self.places) else None


def stage_page(shown: ShowAnswer, looked: Looked, paper: Paper) -> Page:
    """The page of one fact."""
    section, _colon, text = looked.key.partition(":")
    place = int(text) if text.isdigit() else 0
    build = _BUILDERS.get(section)
    if build is None:
        return _row_page(shown, section, place, paper)
    return build(shown, looked, place, paper)


def _row_page(shown: ShowAnswer, key: str, place: int, paper: Paper) -> Page:
    """A row of a section that has nothing more behind it: its cells in full, below each other."""
    section = next((section for section in show_sections(shown) if section.key == key), None)
    if section is None or place >= len(section.table.rows):
        return Page(title=line_of((" nothing is chosen", "muted")))
    row = section.table.rows[place]
    pairs = [(head.title, cell.text) for head, cell in zip(section.table.headings, row, strict=True) if cell.text]
    return _titled(row[0].text, [(), *_pairs(pairs, paper.width)])


# ---------------------------------------------------------------- facts of one line


def _pairs(lines: Sequence[tuple[str, str]], width: int, *, role: str = "") -> list[Line]:
    """Names at the left, texts wrapped beside them."""
    n_cells = max((len(name) for name, _text in lines), default=0) + 2
    found: list[Line] = []
    for name, text in lines:
        for index, part in enumerate(wrapped_text(text, width - n_cells, role)):
            found.append(line_of(("  ", ""), ((name if index == 0 else "").ljust(n_cells), "muted")) + part[1:])
    return found


def _titled(title: str, lines: Sequence[Line], *, right: str = "") -> Page:
    return Page(line_of((f" {title}", "title")), line_of((f"{right} ", "muted")) if right else (), lines=tuple(lines))


def _value(name: str, text: str, source: str, paper: Paper) -> Page:
    lines = [(), *wrapped_text(text, paper.width), ()]
    if source:
        lines += _pairs([("source", text_of_path(source))], paper.width)
    return _titled(name, lines)


def _field(shown: ShowAnswer, looked: Looked, place: int, paper: Paper) -> Page:
    """The field in full, and below it the curve of the metric that matters most: what a run is looked at for first."""
    from mlbench.render.show import field_pairs

    name, value = field_pairs(shown)[place]
    source = dict(shown.origins).get(("run", name), "")
    text = duration(float(value)) if name == "duration" and isinstance(value, int | float) else value_text(value)
    how = "" if source or name in ("id", "path", "number") else "worked out from the files of the run"
    lines = [*_value(name, text, source, paper).lines, *([line_of(("  ", ""), (how, "muted"))] if how else [])]
    if looked.series is not None:
        lines += [(), *_curve(looked.series, max(paper.height - len(lines) - 1, LEAST_CHART_ROWS), paper)]
    return _titled(name, lines)


def _param(shown: ShowAnswer, _looked: Looked, place: int, paper: Paper) -> Page:
    """Every layer that says something of the parameter, the one that holds first."""
    param = ordered_params(shown.params)[place]
    lines: list[Line] = []
    for layer in sorted(
        (each for each in shown.params if each.key == param.key), key=lambda each: not each.is_effective
    ):
        holds = "holds" if layer.is_effective else "overridden"
        lines += [(), line_of((f"  {layer.layer}", "key"), (f"  {holds}", "muted"))]
        lines += _pairs(_layer_pairs(layer), paper.width)
    return _titled(param.key, lines)


def _layer_pairs(layer: LayeredParam) -> list[tuple[str, str]]:
    path = text_of_path(layer.source)
    pairs = [("value", layer.raw)]
    if layer.value is not None and value_exact(layer.value) != layer.raw:
        pairs.append(("means", f"{value_exact(layer.value)} ({type(layer.value).__name__})"))
    return [*pairs, ("source", path if layer.line is None else f"{path}:{layer.line}")]


def _pair_of(section: str) -> Callable[[ShowAnswer, Looked, int, Paper], Page]:
    def build(shown: ShowAnswer, looked: Looked, place: int, paper: Paper) -> Page:
        key, value = getattr(shown, section)[place]
        origins = dict(shown.origins)
        source = origins.get((section, key)) or origins.get((section, f"{key}={value}"), "")
        page = _value(key, value_text(value), source, paper)
        if section != "code":
            return page
        return _titled(key, [*page.lines, *_patch_part(looked, paper)])

    return build


def _patch_part(looked: Looked, paper: Paper) -> list[Line]:
    if looked.patch is None:
        return [(), line_of(("  no patch of changes that were not committed was found beside the run", "muted"))]
    path, text = looked.patch
    n_files, added, removed = patch_counts(text)
    files = f"{n_files} file{'' if n_files == 1 else 's'}"
    head = line_of(
        (f"  changes that were not committed: {files}  ", "heading"), (f"+{added} ", "good"), (f"-{removed}", "bad")
    )
    body = [(Cell(safe("  ")), *line) for line in patch_lines(text, paper.width - 3)]
    return [(), head, *_pairs([("source", text_of_path(path))], paper.width), *body]


def _tag(shown: ShowAnswer, _looked: Looked, place: int, paper: Paper) -> Page:
    own = len(shown.head.tags)
    if place < own:
        tag = shown.head.tags[place]
        said = next(((by, at_s) for name, by, at_s in shown.tag_origins if name == tag), None)
        return _value(f"#{tag}", "yours" if said is None else said_text(*said), "", paper)
    key, value = shown.imported_tags[place - own]
    return _value(key, value or "imported", dict(shown.origins).get(("tags", key), ""), paper)


def _note(shown: ShowAnswer, _looked: Looked, place: int, paper: Paper) -> Page:
    note = shown.notes[place]
    body = [(Cell(safe("  ")), *line) for line in markdown_lines(note.body, paper.width - 3, keeps_lines=True)]
    return _titled("note", [(), *body, (), line_of(("  ", ""), (note_origin(note), "muted"))])


def _source(shown: ShowAnswer, _looked: Looked, place: int, paper: Paper) -> Page:
    source = shown.sources[place]
    pairs = [("path", text_of_path(source.path)), ("read by", source.adapter), ("status", source.status),
             ("records", f"{source.n_records:,}"), ("size", size(source.size_bytes))]  # fmt: skip
    return _titled("source", [(), *_pairs(pairs, paper.width)])


def problem_page(problem: ProblemLine, width: int) -> Page:
    """All of a problem."""
    pairs = [("where", text_of_path(problem.path)), ("place", problem.place), ("what to do", problem.hint)]
    lines = [(), *wrapped_text(problem.what, width, "warning"), (), *_pairs([p for p in pairs if p[1]], width)]
    return _titled("problem", lines)


# ---------------------------------------------------------------- metrics


def _metric(shown: ShowAnswer, looked: Looked, place: int, paper: Paper) -> Page:
    """The curve, and what is told of it."""
    metric = shown.metrics[place]
    facts = _pairs(_metric_pairs(metric), paper.width)
    lines: list[Line] = []
    if looked.series is not None:
        lines += _curve(looked.series, max(paper.height - len(facts) - 1, LEAST_CHART_ROWS), paper)
    return _titled(metric.metric, [*lines, (), *facts])


def _curve(series: SeriesAnswer, height: int, paper: Paper) -> tuple[Line, ...]:
    if paper.is_linear:
        from mlbench.render.spoken import spoken_series

        return spoken_series((series,), paper.width)
    from mlbench.render.chart import ChartOptions
    from mlbench.render.chart_text import CurveOptions, series_chart

    options = ChartOptions(paper.width, min(height, MOST_CHART_ROWS), glyphs=paper.glyphs, legend="none")
    curves = CurveOptions("step", paper.smoothing, paper.smoothing_kind, is_plain=paper.depth == "none")
    return series_chart((series,), options, curves, slots={series.head.run_id: paper.slot}).lines


def _metric_pairs(metric: SeriesHead) -> list[tuple[str, str]]:
    def at(value: float | None, step: int | None) -> str:
        return "" if value is None else f"{value_exact(value)} at step {step:,}"

    best = {"min": at(metric.min, metric.min_step), "max": at(metric.max, metric.max_step)}.get(metric.goal, "")
    told = [
        ("last", at(metric.last, metric.last_step)),
        ("best", f"{best} (goal: {metric.goal})" if best else ""),
        ("min", at(metric.min, metric.min_step)),
        ("max", at(metric.max, metric.max_step)),
        ("steps", f"{metric.first_step:,} to {metric.last_step:,}"),
        ("points", f"{metric.n:,}" + (f" shown of {metric.n_raw:,} in the log" if metric.n_raw != metric.n else "")),
        ("remarks", series_remarks(metric)),
        ("in the log", " ".join(filter(None, (metric.source_run, metric.source_metric)))),
        ("source", text_of_path(metric.source)),
    ]  # fmt: skip
    return [(name, text) for name, text in told if text]


# ---------------------------------------------------------------- what was logged


def _logged(shown: ShowAnswer, looked: Looked, place: int, paper: Paper) -> Page:
    blob = shown.blobs[place]
    title = f"{blob.kind} {blob.metric}"
    here = looked.place
    if here is None:
        return _titled(title, [(), line_of(("  reading …", "muted"))])
    keys = _keys(paper, "run.previous_step", "run.next_step")
    step = f"step {here.step:,}   {looked.index + 1} of {len(looked.places)}   {keys}"
    facts = _place_lines(here, paper)
    room = replace(paper, height=max(paper.height - len(facts) - 2, 4))
    body, pictures = _image(looked, room) if _is_picture(looked) else (_content_lines(looked, room), ())
    return replace(_titled(title, [*body, (), *facts], right=step), pictures=pictures)


def _place_lines(place: BlobPlace, paper: Paper) -> list[Line]:
    moment = moment_of(place.wall_s) if place.wall_s == place.wall_s else None
    pixels = f", {place.width} x {place.height} pixels" if place.width else ""
    what = f"{place.encoding}{pixels}, {size(place.length)}"
    when = f", {timestamp(moment)} UTC" if moment is not None else ""
    return _pairs(
        [("format", what + when), ("source", f"{text_of_path(place.path)}, offset {place.offset:,}")], paper.width
    )


def _content_lines(looked: Looked, paper: Paper) -> Sequence[Line]:
    from mlbench.queries.answers import ProblemLine

    content = looked.content
    if content is None:
        return [(), line_of(("  reading …", "muted"))]
    if isinstance(content, ProblemLine):
        hint = wrapped_text(content.hint, paper.width) if content.hint else []
        return [(), *wrapped_text(content.what, paper.width, "warning"), *hint]
    kind = looked.place.kind if looked.place else ""
    return _DRAWERS.get(kind, _no_picture)(looked, paper)


def _no_picture(_looked: Looked, paper: Paper) -> Sequence[Line]:
    write = paper.key_of("run.write")
    return [
        (),
        *wrapped_text(f"there is no picture of this kind; {write} writes its bytes to a file", paper.width, "muted"),
    ]


def _is_picture(looked: Looked) -> bool:
    """Whether pixels are there to be shown."""
    return looked.place is not None and looked.place.kind == "image" and hasattr(looked.content, "shape")


def _image(looked: Looked, paper: Paper) -> tuple[Sequence[Line], tuple[Placed, ...]]:
    pixels: Pixels = looked.content  # type: ignore[assignment]
    if paper.is_linear:
        from mlbench.render.spoken import spoken_picture

        return spoken_picture(pixels), ()
    # An array that is shown is kept, so that no other one has its id.
    key = (id(pixels), looked.zoom, looked.x, looked.y)
    lines, placed = placed_picture(key, seen_part(pixels, looked), paper)
    pictures = () if placed is None else (placed,)
    if looked.zoom == 1:
        return lines, pictures
    moves = _keys(paper, "run.pan_left", "run.pan_down", "run.pan_up", "run.pan_right")
    foot = line_of((f" x {looked.zoom:g}   {paper.key_of('run.zoom_all')} shows all, {moves} move", "muted"))
    return [*lines, foot], pictures


def _keys(paper: Paper, *action_ids: str) -> str:
    return " ".join(map(paper.key_of, action_ids))


def seen_part(pixels: Pixels, looked: Looked) -> Pixels:
    """The part of a picture that the zoom shows; at least one pixel."""
    height, width = pixels.shape[:2]
    n_rows, n_columns = max(round(height / looked.zoom), 1), max(round(width / looked.zoom), 1)
    top = min(max(round(looked.y * height - n_rows / 2), 0), height - n_rows)
    left = min(max(round(looked.x * width - n_columns / 2), 0), width - n_columns)
    return pixels[top : top + n_rows, left : left + n_columns]


def _texts(looked: Looked, paper: Paper) -> Sequence[Line]:
    rows: Sequence[Sequence[str]] = looked.content  # type: ignore[assignment]
    if all(len(row) == 1 for row in rows):
        parts = [markdown_lines(row[0], paper.width - 3) for row in rows]
        return [(), *((Cell(safe("  ")), *line) for part in parts for line in (*part, ()))]
    table = "\n".join(
        "| " + " | ".join(cell.replace("|", "/").replace("\n", " ") for cell in row) + " |" for row in rows
    )
    return [(), *((Cell(safe("  ")), *line) for line in markdown_lines(table, paper.width - 3))]


def _histogram(looked: Looked, paper: Paper) -> Sequence[Line]:
    if paper.is_linear:
        from mlbench.render.spoken import spoken_histogram

        return spoken_histogram(looked.content)  # type: ignore[arg-type]
    from mlbench.render.chart_plotext import bucket_lines

    place = looked.place
    title = f"step {place.step}" if place else ""
    height = min(paper.height, 20)
    return [line_of((line, "")) for line in bucket_lines(looked.content, title=title, width=paper.width, height=height)]  # type: ignore[arg-type]


def _pr_curve(looked: Looked, paper: Paper) -> Sequence[Line]:
    from mlbench.render.chart import ChartOptions, draw_chart
    from mlbench.render.chart_logged import pr_curves, pr_title

    items: list[Any] = [(looked.place, looked.content)]
    title, height = pr_title(items), min(paper.height, MOST_CHART_ROWS)
    options = ChartOptions(paper.width, height, title=title, x_kind="value", glyphs=paper.glyphs, legend="none")
    return draw_chart(pr_curves(items, is_plain=paper.depth == "none"), options).lines


def _confusion(looked: Looked, paper: Paper) -> Sequence[Line]:
    from mlbench.tui.logged_page import matrix_lines

    matrix: MatrixAnswer = looked.content  # type: ignore[assignment]
    return matrix_lines([matrix], [safe("rows: actual, columns: predicted")], paper)


_DRAWERS: Mapping[str, Callable[[Looked, Paper], Sequence[Line]]] = {
    "text": _texts, "histogram": _histogram, "pr_curve": _pr_curve, "confusion": _confusion,
}  # fmt: skip
_BUILDERS: Mapping[str, Callable[[ShowAnswer, Looked, int, Paper], Page]] = {
    "run": _field,
    "params": _param,
    "metrics": _metric,
    "blobs": _logged,
    "code": _pair_of("code"),
    "environment": _pair_of("environment"),
    "data": _pair_of("data"),
    "tags": _tag,
    "notes": _note,
    "sources": _source,
    "problems": lambda shown, _looked, place, paper: problem_page(shown.problems[place], paper.width),
}
