"""All that is known of one run, each fact with the source that it came from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

from mlbench.model import PRECEDENCE
from mlbench.render.cells import Cell
from mlbench.render.labels import with_mark
from mlbench.render.lineage import lineage_records, lineage_sections
from mlbench.render.numbers import duration, moment_of, number, size, timestamp, value_text
from mlbench.render.problems import problem_table
from mlbench.render.records import Records
from mlbench.render.runs import STATUS_ROLES
from mlbench.render.table import Section, Table, heading
from mlbench.safe import Safe, safe, text_of_path

if TYPE_CHECKING:
    from mlbench.queries.answers import BlobHead, LayeredParam, NoteText, SeriesHead, ShowAnswer, SourceLine, Value

_Origins: TypeAlias = "Mapping[tuple[str, str], str]"
_LAYERS = {layer.value: place for place, layer in enumerate(PRECEDENCE)}


def show_sections(answer: ShowAnswer) -> tuple[Section, ...]:
    """The run, params by layer, metrics, blobs, code, environment, data, lineage, tags, notes, sources and problems.

    Sections without rows are left out, but the first.
    """
    origins = dict(answer.origins)
    sections = (
        Section("run", with_mark(safe(answer.head.name), answer.head), _field_table(answer, origins)),
        _counted("params", _param_table(answer.params)),
        _counted("metrics", _metric_table(answer.metrics)),
        _counted("blobs", _blob_table(answer.blobs)),
        _counted("code", _pair_table("code", answer.code, origins)),
        _counted("environment", _pair_table("environment", answer.environment, origins)),
        _counted("data", _pair_table("data", answer.data, origins)),
        *(lineage_sections(answer.lineage) if answer.lineage else ()),
        _counted("tags", _tag_table(answer)),
        _counted("notes", _note_table(answer.notes)),
        _counted("sources", _source_table(answer.sources)),
        _counted("problems", problem_table(answer.problems)),
    )
    return (sections[0], *(section for section in sections[1:] if section.table.rows))


def _counted(key: str, table: Table) -> Section:
    return Section(key, safe(f"{key} ({len(table.rows)})"), table)


def field_pairs(answer: ShowAnswer) -> tuple[tuple[str, Value], ...]:
    """The fields that have a value, in the order of the section `run`."""
    known: dict[str, Value] = {"name": answer.head.name, "id": answer.head.run_id, **dict(answer.fields)}
    known["path"] = text_of_path(answer.head.path)
    return tuple((name, value) for name, value in known.items() if _field_cell(name, value).text)


def _field_table(answer: ShowAnswer, origins: _Origins) -> Table:
    rows = tuple((Cell(safe(name), "key"), _field_cell(name, value)) for name, value in field_pairs(answer))
    table = Table((heading("field"), heading("value")), rows)
    return _with_sources(table, [origins.get(("run", name), "") for name, _value in field_pairs(answer)])


def _with_sources(table: Table, sources: Sequence[str]) -> Table:
    """With a last column that says where each row comes from, if that is known of any."""
    if not any(sources):
        return table
    rows = tuple((*row, Cell(safe(text_of_path(path)), "muted")) for row, path in zip(table.rows, sources, strict=True))
    return Table((*table.headings, heading("source")), rows)


def _field_cell(name: str, value: Value) -> Cell:
    if name == "duration" and isinstance(value, int | float):
        return Cell(safe(duration(float(value))))
    if name == "status":
        return Cell(value_text(value), STATUS_ROLES.get(str(value), ""))
    return Cell(value_text(value))


def ordered_params(params: Sequence[LayeredParam]) -> list[LayeredParam]:
    """Strongest layer first."""
    return sorted(params, key=lambda param: (-_LAYERS.get(param.layer, -1), param.key))


def _param_table(params: Sequence[LayeredParam]) -> Table:
    """What another layer overrides is muted."""
    rows = tuple(
        (
            Cell(safe(param.key), "key" if param.is_effective else "muted"),
            Cell(safe(param.raw), "" if param.is_effective else "muted"),
            Cell(safe(param.layer if param.is_effective else f"{param.layer} (overridden)"), "muted"),
            Cell(_place(param), "muted"),
        )
        for param in ordered_params(params)
    )
    return Table((heading("parameter"), heading("value"), heading("layer"), heading("source")), rows)


def _place(param: LayeredParam) -> Safe:
    path = text_of_path(param.source)
    return safe(path if param.line is None else f"{path}:{param.line}")


def _metric_table(metrics: Sequence[SeriesHead]) -> Table:
    titles = ("metric", "goal", "last", "step", "min", "at step", "max", "at step", "points", "remarks")
    aligns = ("left", "left", *["number"] * 7, "left")
    headings = tuple(heading(title, align=align) for title, align in zip(titles, aligns, strict=True))
    table = Table(headings, tuple(_metric_row(metric) for metric in metrics))
    return _with_sources(table, [metric.source for metric in metrics])


def _metric_row(metric: SeriesHead) -> tuple[Cell, ...]:
    return (
        Cell(safe(metric.metric), "key"),
        Cell(safe(metric.goal), "muted"),
        _number(metric.last),
        _number(metric.last_step, "muted"),
        _number(metric.min, "good" if metric.goal == "min" else ""),
        _number(metric.min_step, "muted"),
        _number(metric.max, "good" if metric.goal == "max" else ""),
        _number(metric.max_step, "muted"),
        _number(metric.n),
        Cell(series_remarks(metric), "warning"),
    )


def compact_metric_table(metrics: Sequence[SeriesHead]) -> Table:
    """Last and best of each metric, for a narrow pane; best is `-` where no goal says which way is better."""
    titles = (("metric", "left"), ("last", "number"), ("step", "number"), ("best", "number"), ("at step", "number"))
    rows = []
    for metric in metrics:
        best, step = {"min": (metric.min, metric.min_step), "max": (metric.max, metric.max_step)}.get(
            metric.goal, (None, None)
        )
        name = safe(metric.metric + {"min": " ↓", "max": " ↑"}.get(metric.goal, ""))
        odd = metric.n_nan or metric.n_inf or metric.n_back or metric.n_repeat or metric.n_raw != metric.n
        rows.append((
            Cell(name, "warning" if odd else "key"), _number(metric.last), _number(metric.last_step, "muted"),
            _number(best, "good"), _number(step, "muted"),
        ))  # fmt: skip
    return Table(tuple(heading(title, align=align) for title, align in titles), tuple(rows))


def _number(value: float | None, role: str = "") -> Cell:
    return Cell(safe("-"), "muted", "right") if value is None else Cell(safe(number(value)), role, "number")


def series_remarks(metric: SeriesHead) -> Safe:
    """`3 NaN, 2 repeated steps, 1 step back, 12 of 40 points replaced by a restart`."""
    counts = (
        (metric.n_nan, "NaN", "NaN"),
        (metric.n_inf, "inf", "inf"),
        (metric.n_repeat, "repeated step", "repeated steps"),
        (metric.n_back, "step back", "steps back"),
    )
    parts = [f"{n} {one if n == 1 else many}" for n, one, many in counts if n]
    if metric.n_raw > metric.n:
        parts.append(f"{metric.n_raw - metric.n} of {metric.n_raw} points replaced by a restart")
    if metric.echo:
        parts.append(metric.echo)
    return safe(", ".join(parts))


def set_aside_text(n_points: int, n_aside: int, n_repeats: int, *, fate: str = "left out") -> Safe:
    """What the effective view did with the points of series, '' where it shows each and no step comes twice.

    `12 of 40 points were replaced by a restart and are left out, 5 points repeat the step before them and are kept`
    """
    parts = []
    if n_aside:
        were = "was" if n_aside == 1 else "were"
        are = "is" if n_aside == 1 else "are"
        parts.append(f"{n_aside:,} of {n_points:,} points {were} replaced by a restart and {are} {fate}")
    if n_repeats:
        many = "1 point repeats the step before it and is" if n_repeats == 1 else (
            f"{n_repeats:,} points repeat the step before them and are"
        )  # fmt: skip
        parts.append(f"{many} kept")
    return safe(", ".join(parts))


def _blob_table(blobs: Sequence[BlobHead]) -> Table:
    rows = tuple(
        (
            Cell(safe(blob.kind)),
            Cell(safe(blob.metric), "key"),
            _number(blob.n),
            _number(blob.first_step, "muted"),
            _number(blob.last_step, "muted"),
            Cell(safe(blob.encodings), "muted"),
            Cell(safe(size(blob.size_bytes)), "muted", "right"),
        )
        for blob in blobs
    )
    headings = (
        heading("kind"),
        heading("name"),
        *(heading(t, align="number") for t in ("n", "first step", "last step")),
        heading("format"),
        heading("size", align="right"),
    )
    return Table(headings, rows)


def _pair_table(section: str, pairs: Sequence[tuple[str, Value]], origins: _Origins) -> Table:
    rows = tuple((Cell(safe(key), "key"), Cell(value_text(value))) for key, value in pairs)
    table = Table((heading("key"), heading("value")), rows)
    return _with_sources(table, [pair_origin(section, key, value, origins) for key, value in pairs])


def pair_origin(section: str, key: str, value: Value, origins: _Origins) -> str:
    """The source of a fact; of facts that a run has several of under one key (two GPUs), that of this one."""
    return origins.get((section, key)) or origins.get((section, f"{key}={value}"), "")


def _tag_table(answer: ShowAnswer) -> Table:
    origins = dict(answer.origins)
    said = {tag: said_text(by, at_s) for tag, by, at_s in answer.tag_origins}
    own = [(tag, "", said.get(tag, "yours")) for tag in answer.head.tags]
    imported = [
        (key, value, " ".join(filter(None, ("imported", text_of_path(origins.get(("tags", key), ""))))))
        for key, value in answer.imported_tags
    ]
    rows = tuple(
        (Cell(safe(key), "key"), Cell(safe(value)), Cell(safe(origin), "muted"))
        for key, value, origin in own + imported
    )
    return Table((heading("tag"), heading("value"), heading("origin")), rows)


def _note_table(notes: Sequence[NoteText]) -> Table:
    rows = tuple(
        (
            Cell(_when(note.at_s), "muted"),
            Cell(safe(note.author), "muted"),
            Cell(safe(note.body)),
            Cell(safe(note.origin), "muted"),
        )
        for note in notes
    )
    return Table((heading("when"), heading("who"), heading("note"), heading("origin")), rows)


def note_origin(note: NoteText) -> Safe:
    """Who wrote a note, and when; `imported` for one that a source holds."""
    return said_text(note.author, note.at_s) if note.origin == "mlbench" else safe(note.origin)


def said_text(author: str, at_s: float | None) -> Safe:
    """By whom and when something was said: `ada@host 2023-11-14 22:13`."""
    return safe(" ".join(filter(None, (author, _when(at_s)))))


def _when(at_s: float | None) -> Safe:
    moment = None if at_s is None else moment_of(at_s)
    return safe("" if moment is None else timestamp(moment))


def _source_table(sources: Sequence[SourceLine]) -> Table:
    rows = tuple(
        (
            Cell(safe(text_of_path(source.path)), "key"),
            Cell(safe(source.adapter)),
            Cell(safe(source.status), "muted" if source.status == "eof" else "warning"),
            _number(source.n_records),
            Cell(safe(size(source.size_bytes)), align="right"),
        )
        for source in sources
    )
    titles = (heading("path"), heading("adapter"), heading("status"))
    return Table((*titles, heading("records", align="number"), heading("size", align="right")), rows)


# ---------------------------------------------------------------- records


def show_records(answer: ShowAnswer) -> Records:
    """Flat rows `section`, `key`, `value`, `detail`, `source`: the detail is the layer, step or author, where there is
    one, and the source the file (and line) that says so.
    """
    head, origins = answer.head, dict(answer.origins)
    rows: list[tuple[Value, ...]] = [(*row, None) for row in (
        ("run", "name", head.name, None), ("run", "id", head.run_id, None), ("run", "path", head.path, None),
    )]  # fmt: skip
    rows += [("run", key, value, None, origins.get(("run", key)))
             for key, value in answer.fields if key not in ("name", "id", "path")]  # fmt: skip
    rows += [("params", p.key, _param_value(p), p.layer if p.is_effective else f"{p.layer} (overridden)",
              _place(p) or None) for p in answer.params]  # fmt: skip
    rows += [(*line, metric.source or None) for metric in answer.metrics for line in _metric_records(metric)]
    rows += [("blobs", blob.metric, blob.n, blob.kind, None) for blob in answer.blobs]
    for section, pairs in (("code", answer.code), ("environment", answer.environment), ("data", answer.data)):
        rows += [(section, key, value, None, pair_origin(section, key, value, origins) or None) for key, value in pairs]
    rows += [("tags", tag, None, "yours", None) for tag in head.tags]
    rows += [("tags", key, value, "imported", origins.get(("tags", key))) for key, value in answer.imported_tags]
    rows += [("notes", _when(note.at_s), note.body, note.author, None) for note in answer.notes]
    rows += [(*row, None) for row in lineage_records(answer.lineage)] if answer.lineage else []
    rows += [("sources", source.path, source.status, source.adapter, None) for source in answer.sources]
    rows += [("problems", problem.path, problem.what, problem.place, None) for problem in answer.problems]
    return Records(("section", "key", "value", "detail", "source"), tuple(rows))


def _param_value(param: LayeredParam) -> Value:
    return param.raw if param.value is None else param.value


def _metric_records(metric: SeriesHead) -> list[tuple[Value, ...]]:
    """Behind the count stands what is special: NaN, repeated steps, points that a restart replaced."""
    numbers = (
        ("last", metric.last, metric.last_step),
        ("min", metric.min, metric.min_step),
        ("max", metric.max, metric.max_step),
    )
    rows: list[tuple[Value, ...]] = [
        (what, metric.metric, value, None if step is None else f"step {step}")
        for what, value, step in numbers
        if value is not None
    ]
    return [*rows, ("count", metric.metric, metric.n, series_remarks(metric) or None)]
