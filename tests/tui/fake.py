"""A session without a catalog: the same twelve runs on every machine, and a record of what was said."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from mlbench.errors import UsageError
from mlbench.queries.answers import (
    BlobHead,
    Column,
    DiffAnswer,
    FactRow,
    GroupCell,
    GroupRow,
    LayeredParam,
    Listing,
    MetricCell,
    MetricRow,
    NoteText,
    ParamCell,
    ParamRow,
    ProblemLine,
    RunHead,
    RunRow,
    RunsAnswer,
    SeriesAnswer,
    SeriesHead,
    ShowAnswer,
    SourceLine,
    Value,
)
from mlbench.queries.blobs import BlobPlace
from mlbench.queries.layouts import LaidChart, LayoutsAnswer
from mlbench.queries.matrix import MatrixAnswer
from mlbench.queries.members import Members, summarise
from mlbench.queries.mistakes import FilterError
from mlbench.queries.settings_versus import SettingsVersus
from mlbench.queries.standing import Standings
from mlbench.queries.views import SavedView
from mlbench.render.histories_beside import told_histories
from mlbench.safe import safe
from mlbench.tui.logged import LoggedFound
from mlbench.tui.session import (
    PIECE_ROWS,
    ChartLabels,
    Facet,
    Followed,
    IndexDone,
    IndexProgress,
    ReportQuestion,
    RunsFound,
    RunsQuestion,
    Vocabulary,
)
from mlbench.wire.histograms import Histogram
from mlbench.wire.layouts import Margin

if TYPE_CHECKING:
    from mlbench.model import Float64Array

STEPS = np.arange(0, 4000, 20, dtype=np.int64)
WALL_S = np.asarray(1.7e9 + STEPS * 0.5, dtype=np.float64)
COLUMNS = (
    Column("metrics.val/acc", "val/acc", "metric", "max"),
    Column("params.lr", "lr", "param"),
    Column("params.optimizer", "optimizer", "param"),
    Column("params.width", "width", "param"),
    Column("metrics.val/loss", "val/loss", "metric", "min"),
    Column("status", "status", "field"),
    Column("duration", "duration", "field"),
    Column("started", "started", "field"),
)
HOSTILE_NAMES = (
    "\x1b]52;c;bWxiZW5jaA==\x07",
    "\x1b[31;5mred\x1b[3J",
    "\u009b2J\u009d52;c;aGk=\u009c",
    "\u202egnp.exe",
    "[@click=app.quit]leave[/]",
    "loss [/] x",
    "two\nlines\tand a tab",
    "wide 実験 モデル",
)


@dataclass
class FakeRun:
    """One run and what its curves come to."""

    head: RunHead
    lr: float
    optimizer: str
    width: int
    final: float

    def values(self) -> tuple[Value, ...]:
        return (1 - self.final, self.lr, self.optimizer, self.width, self.final, self.head.status,
                600.0 + self.width, datetime(2026, 11, 2, 14, 20))  # noqa: DTZ001  # fmt: skip

    def curve(self, metric: str) -> Float64Array:
        fall = self.final + (2.3 - self.final) * np.exp(-STEPS / (300 + 4 * self.width))
        ripple = 0.04 * np.sin(STEPS * self.lr * 3)
        loss = np.asarray(fall + ripple, dtype=np.float64)
        return loss if metric == "val/loss" else 1 - loss / 2.5


def make_runs(names: Sequence[str] = ()) -> list[FakeRun]:
    """Twelve runs of a sweep, or one for each name."""
    runs = []
    settings = [
        (lr, optimizer, width) for width in (64, 256) for optimizer in ("adam", "sgd") for lr in (0.3, 0.03, 0.003)
    ]
    for index, (lr, optimizer, width) in enumerate(settings):
        name = f"sweep/{optimizer}-lr{lr}-w{width}" if not names else names[index] if index < len(names) else ""
        if not name:
            continue
        status = "failed" if index == 3 else "running" if index == 11 else "finished"
        head = RunHead(f"{index:012x}", f"/logs/{name}", f"print{index}", name, f"/logs/{name}", status)
        runs.append(FakeRun(head, lr, optimizer, width, round(0.3 + 0.4 * abs(np.log10(lr) + 1.5) + 10 / width, 4)))
    return runs


def sort_key(index: int | None, run: FakeRun) -> tuple[float, str]:
    """A column's value, numbers before texts; without a column the name."""
    value: Value = run.head.name if index is None else run.values()[index]
    return (float(value), "") if isinstance(value, int | float) else (0.0, str(value))


class FakeDrafts:
    """Drafts in memory; `path` is the only thing that an editor would need."""

    def __init__(self) -> None:
        self.texts: dict[tuple[str, ...], str] = {}
        self.folder = ""

    def _key(self, runs: Sequence[RunHead]) -> tuple[str, ...]:
        return tuple(run.run_id for run in runs)

    def path(self, runs: Sequence[RunHead]) -> str:
        return "/dev/null"

    def read(self, runs: Sequence[RunHead]) -> str:
        return self.texts.get(self._key(runs), "")

    def save(self, runs: Sequence[RunHead], text: str) -> None:
        self.texts[self._key(runs)] = text

    def remove(self, runs: Sequence[RunHead]) -> None:
        self.texts.pop(self._key(runs), None)


def fake_matrix(head: RunHead, metric: str, place: int) -> MatrixAnswer:
    """Three classes, of all runs but the first four; every run takes more cats for dogs than the one before."""
    rows: list[list[float]] = [
        [40.0 - 5 * place, 5.0 * place, 0.0, 0.0],
        [2, 50, 1, 0],
        [0, 3, 20 + place, 1],
        [0, 0, 2, 6],
    ]
    n = 4 if place else 3
    labels = ("cat", "dog", "horse", "mule")[:n]
    return MatrixAnswer(head, metric, labels, tuple(tuple(row[:n]) for row in rows[:n]))


def fake_histograms(head: RunHead, metric: str, place: int) -> list[tuple[BlobPlace, Histogram]]:
    """A bell that moves up with the steps, farther in every run than in the one before."""
    items = []
    for step in range(0, 50, 10):
        edges = np.linspace(-1, 1, 21) + step / 40 * (1 + place)
        counts = np.round(1000 * np.exp(-8 * (edges[:-1] - edges.mean()) ** 2))
        blob = BlobPlace(head, "histogram", metric, step, 1.7e9, step, f"{head.path}/ev", step, 64, "tensor", 0, 0, "")
        items.append((blob, Histogram(edges[:-1], edges[1:], counts)))
    return items


class FakeDetails:
    """An image of three steps, a text, and a patch, of every run; what is written is remembered."""

    def __init__(self, session: FakeSession) -> None:
        self.session = session
        self.written: list[tuple[int, str, bool]] = []

    def front(self, query: str, aims: Sequence[str]) -> RunsAnswer:
        answer = self.session.find(RunsQuestion(query)).answer
        return replace(answer, rows=answer.rows[:2], remarks=(f"2 runs are best in {' and '.join(aims)}",))

    def verdict(self, run_ids: Sequence[str]) -> SettingsVersus:
        return SettingsVersus((), len(run_ids), 0, "the runs are of one setting")

    def members(self, group: GroupRow) -> Members:
        diff = self.session.compare(group.run_ids, everything=True)
        return summarise(diff, group.keys, len(group.run_ids), group.n_ended_well)

    def rerun(self, run_id: str) -> str:
        return f"git checkout abc\npython train.py --run {run_id}"

    def curve(self, run_id: str, metric: str) -> SeriesAnswer | None:
        return self.session.series([run_id], [metric], [])[0]

    def layouts(self, _run_ids: Sequence[str], name: str) -> LayoutsAnswer:
        charts = (
            LaidChart("losses", "both", ("val/loss", "train/loss")),
            LaidChart("", "val", ("val/loss",)),
            LaidChart("", "band", (), (Margin("val/acc", "train/loss", "val/loss"),)),
        )
        return LayoutsAnswer(tuple(chart for chart in charts if name in ("*", chart.name, chart.title)))

    def standings(self, metric: str, watched: Sequence[str]) -> Standings:
        return self.session.standings(metric, watched)

    def places(self, run_id: str, kind: str, metric: str) -> tuple[BlobPlace, ...]:
        (run,) = self.session._runs([run_id])
        path = f"{run.head.path}/events.out"
        size = 24 if kind == "image" else 0
        encoding = "png" if kind == "image" else "utf-8"
        return tuple(
            BlobPlace(run.head, kind, metric, step, 1.7e9, step, path, 100 * step, 64, encoding, size, size, "")
            for step in (10, 20, 30)
        )

    def pictures(self, run_ids: Sequence[str]) -> tuple[BlobPlace, ...]:
        return tuple(
            replace(place, metric=metric)
            for run_id in run_ids
            for metric in ("examples/wrong", "weights")[: 2 if run_id != run_ids[-1] else 1]
            for place in self.places(run_id, "image", metric)
        )

    def logged(self, run_ids: Sequence[str], kind: str, metric: str) -> LoggedFound:
        """Two names; of the second one the last run has nothing. All but the first run have a class more."""
        runs = self.session._runs(run_ids)
        first, second = ("eval/cm", "test/cm") if kind == "confusion" else ("weights", "bias")
        names = {first: len(runs), second: len(runs) - 1}
        chosen = metric if metric in names else first
        having = runs if chosen == first else runs[:-1]
        if kind == "confusion":
            return LoggedFound(
                names, chosen, [fake_matrix(run.head, chosen, place) for place, run in enumerate(having)]
            )
        items = [item for place, run in enumerate(having) for item in fake_histograms(run.head, chosen, place)]
        return LoggedFound(names, chosen, told_histories(items))

    def content(self, place: BlobPlace) -> object:
        if place.kind == "text":
            return ((f"# Step {place.step}\n\nname **{place.metric}**\n\n- `{place.metric}`",),)
        if place.step == 20:
            return ProblemLine(
                place.path, "offset 2000", "The file is shorter than when it was ingested", "Ingest again"
            )
        rows = np.arange(24, dtype=np.uint8)
        red = np.broadcast_to(rows[:, None] * 10, (24, 24))
        return np.stack([red, red.T, np.full((24, 24), place.step, np.uint8)], axis=2)

    def patch(self, run_id: str) -> tuple[str, str] | None:
        (run,) = self.session._runs([run_id])
        name = run.head.name.replace("\n", " ")
        return f"{run.head.path}/diff.patch", f"diff --git a/x b/{name}\n@@ -1 +1,2 @@\n-lr = 1\n+lr = 2\n+# {name}\n"

    def write(self, place: BlobPlace, path: str, *, may_replace: bool) -> str:
        self.written.append((place.step, path, may_replace))
        return path


def _means(runs: Sequence[FakeRun]) -> tuple[GroupCell, ...]:
    cells = []
    for column, values in zip(COLUMNS, zip(*(run.values() for run in runs), strict=True), strict=True):
        numbers = [float(value) for value in values if isinstance(value, int | float)]
        if column.kind == "metric":
            cells.append(GroupCell(sum(numbers) / len(numbers), 0.01, len(numbers), len(numbers), is_number=True))
        else:
            n_values = len(set(values))
            cells.append(GroupCell(values[0] if n_values == 1 else None, None, len(values), n_values))
    return tuple(cells)


@dataclass
class FakeSession:
    """Answers from `runs`; a query of one word is a part of a name, others match all, and `<` is a mistake."""

    runs: list[FakeRun] = field(default_factory=make_runs)
    said: list[str] = field(default_factory=list)
    questions: list[RunsQuestion] = field(default_factory=list)
    notes: dict[str, str] = field(default_factory=dict)
    baseline: str = ""
    reports: list[ReportQuestion] = field(default_factory=list)
    scope: str = "sweep"
    is_ahead: bool = False
    metric_name: str = "val/loss"
    problem_lines: tuple[ProblemLine, ...] = ()
    saved: dict[str, SavedView] = field(default_factory=dict)
    state: str = ""
    pieces: list[int] = field(default_factory=list)
    """First places of the rows that were asked for."""
    _found: tuple[RunRow, ...] = ()
    news: list[Followed] = field(default_factory=list)
    """What the looks for news will come to; after the last one there is nothing to follow."""

    def __post_init__(self) -> None:
        self.drafts = FakeDrafts()
        self.details = FakeDetails(self)

    def index(self, tell: Callable[[IndexProgress], None], is_cancelled: Callable[[], bool]) -> IndexDone:
        tell(IndexProgress("read", len(self.runs), len(self.runs), is_published=True))
        return IndexDone(len(self.runs), len(self.runs), len(self.problem_lines))

    def follow(self, is_cancelled: Callable[[], bool]) -> Followed | None:
        return self.news.pop(0) if self.news else None

    def known(self, question: RunsQuestion) -> RunsFound | None:
        return None

    def find(self, question: RunsQuestion) -> RunsFound:
        self.questions.append(question)
        if "<" in question.query:
            raise FilterError("a value is missing after '<'. Try: < 0.3", question.query, question.query.index("<") + 1)
        is_word = not set("= ") & set(question.query)
        runs = [run for run in self.runs if not is_word or question.query in run.head.name]
        for sort in reversed(question.sort):
            spec, _colon, order = sort.partition(":")
            index = next((i for i, column in enumerate(COLUMNS) if column.spec == spec), None)
            runs.sort(key=partial(sort_key, index), reverse=order == "desc")
        baseline = next((run.head for run in self.runs if run.head.run_id == self.baseline), None)
        groups = self._groups(runs, question.by)
        by_id = {run.head.run_id: run for run in runs}
        ids = tuple(run_id for group in groups for run_id in group.run_ids) or tuple(by_id)
        self._found = tuple(RunRow(by_id[run_id].head, by_id[run_id].values()) for run_id in ids)
        first = max((ids.index(question.near) if question.near in ids else 0) // PIECE_ROWS - 1, 0) * PIECE_ROWS
        answer = RunsAnswer(COLUMNS, self._found[first : first + 2 * PIECE_ROWS], len(ids), len(self.runs))
        columns = question.columns or tuple(column.spec for column in COLUMNS)
        listing = Listing(ids, range(len(ids)), len(self.runs), groups=groups)
        return RunsFound(question, answer, columns, listing, first, curve="metrics.val/acc", baseline=baseline)

    def _groups(self, runs: Sequence[FakeRun], by: Sequence[str]) -> tuple[GroupRow, ...]:
        """By the first column of `by`; every column has the mean of its numbers."""
        index = next((i for i, column in enumerate(COLUMNS) if by and column.spec == by[0]), None)
        members: dict[Value, list[FakeRun]] = {}
        for run in runs if index is not None else ():
            members.setdefault(run.values()[index or 0], []).append(run)
        return tuple(
            GroupRow((key,), tuple(run.head.run_id for run in mine), _means(mine), len(mine))
            for key, mine in members.items()
        )

    def rows(self, found: RunsFound, first: int, n_rows: int) -> tuple[RunRow | None, ...]:
        self.pieces.append(first)
        return self._found[first : first + n_rows]

    def sketches(self, found: RunsFound, first: int, n_rows: int) -> dict[str, tuple[float, ...]]:
        ids = found.listing.ids[first : first + n_rows]
        return {run.head.run_id: tuple(map(float, run.curve("val/acc")[::4])) for run in self._runs(ids)}

    def facet(self, question: RunsQuestion, spec: str) -> Facet:
        groups = self._groups([run for run in self.runs if question.query in run.head.name], (spec,))
        index = [column.spec for column in COLUMNS].index("metrics.val/acc")
        told = tuple(replace(group, cells=(group.cells[index],)) for group in groups)
        return Facet(spec, told, "val/acc", len(groups))

    def views(self) -> dict[str, SavedView]:
        return self.saved

    def save_view(self, name: str, view: SavedView) -> None:
        self.said.append(f"view {name}")
        self.saved[name] = view

    def load_state(self) -> str:
        return self.state

    def save_state(self, text: str) -> None:
        self.state = text

    def heads(self, run_ids: Sequence[str]) -> tuple[RunHead, ...]:
        return tuple(run.head for run in self.runs if run.head.run_id in run_ids)

    def vocabulary(self) -> Vocabulary:
        return Vocabulary(
            params=("lr", "optimizer", "width"),
            metrics=("val/acc", self.metric_name, "train/loss"),
            tags=("best", "candidate"),
            statuses=("running", "finished", "failed"),
            fields=("name", "status", "started", "tag", "note"),
            values={"optimizer": ("adam", "sgd"), "lr": ("0.3", "0.03", "0.003")},
        )

    def _runs(self, run_ids: Sequence[str]) -> list[FakeRun]:
        by_id = {run.head.run_id: run for run in self.runs}
        gone = [run_id for run_id in run_ids if run_id not in by_id]
        if gone:
            raise UsageError(f"no run has the id '{gone[0]}'. Try: mlbench query")
        return [by_id[run_id] for run_id in run_ids]

    def compare(self, run_ids: Sequence[str], *, everything: bool, at: str = "") -> DiffAnswer:
        runs = self._runs(run_ids)
        columns: dict[str, list[str | int | float]] = {"optim.lr": [run.lr for run in runs], "optim.name": [run.optimizer for run in runs],
                   "model.width": [run.width for run in runs], "seed": [1 for _ in runs]}  # fmt: skip
        params = [ParamRow(key, tuple(ParamCell(str(v), v) for v in values), len(set(values)) > 1)
                  for key, values in columns.items()]  # fmt: skip
        kept = tuple(row for row in params if row.differs or everything)
        first = runs[0].final
        cells = tuple(
            MetricCell(run.final, 3980, run.final, 3980, None if run is runs[0] else run.final - first,
                       None if run is runs[0] else 100 * (run.final - first) / first,
                       None if run is runs[0] else run.final < first, n=len(STEPS))
            for run in runs
        )  # fmt: skip
        commits = FactRow("commit", tuple(f"a41f09c{index % 2}" for index, _ in enumerate(runs)), len(runs) > 1)
        return DiffAnswer(tuple(run.head for run in runs), kept, (MetricRow(self.metric_name, "min", "guessed", cells),),
                          code=(commits,), n_equal_params=len(params) - len(kept))  # fmt: skip

    def series(
        self, run_ids: Sequence[str], metrics: Sequence[str], usual: Sequence[str], *, over: str = "",
        has_times: bool = True,
    ) -> tuple[SeriesAnswer, ...]:  # fmt: skip
        chosen = list(metrics) or list(usual[:1])
        return tuple(
            SeriesAnswer(
                run.head,
                metric,
                STEPS,
                WALL_S if has_times else np.full_like(WALL_S, np.nan),
                run.curve(metric),
                len(STEPS),
                1.7e9,
                over=over,
                over_values=STEPS / 100 if over else None,
                has_times=has_times,
            )
            for metric in chosen
            for run in self._runs(run_ids)
        )

    def standings(self, _metric: str, _watched: Sequence[str]) -> Standings:
        return Standings(())

    def labels_of(self, run_ids: Sequence[str]) -> ChartLabels:
        settings = {run_id: safe(f"lr={index // 2}") for index, run_id in enumerate(run_ids)}
        runs = {run_id: safe(f"lr={index // 2} seed={index % 2}") for index, run_id in enumerate(run_ids)}
        return ChartLabels(settings, runs if len(run_ids) == 2 else {})

    def show(self, run_id: str) -> ShowAnswer:
        (run,) = self._runs([run_id])
        metric = SeriesHead(
            self.metric_name, 200, 200, 0, 3980, run.final, run.final, 3980, 2.3, 0, 0, 0, 0, 0, "", "", "min"
        )
        note = self.notes.get(run_id)
        return ShowAnswer(
            replace(run.head, is_baseline=run_id == self.baseline),
            (("status", run.head.status), ("duration", 600.0), ("command", f"python train.py --lr {run.lr}")),
            (LayeredParam("optim.lr", str(run.lr), run.lr, "cli", "/logs/args.json", 3, is_effective=True),),
            (metric,),
            blobs=(
                BlobHead("image", f"matrix {self.metric_name}", 3, 10, 30, "png", 192),
                BlobHead("text", f"config {self.metric_name}", 3, 10, 30, "utf-8", 192),
            ),
            code=(("commit", "a41f09c"), ("branch", run.head.name)),
            environment=(("python", "3.11"), ("gpu", run.head.name)),
            imported_tags=(("team", run.head.name),),
            notes=(NoteText(note, "me", 0.0, "mlbench"),) if note else (),
            origins=((("code", "commit"), f"{run.head.path}/meta.json"),),
            tag_origins=tuple((tag, "me@here", 1.7e9) for tag in run.head.tags),
            sources=(SourceLine(f"{run.head.path}/events.out", "tensorboard", "eof", 200, 4096),),
            problems=self.problem_lines,
        )

    def problems(self) -> tuple[ProblemLine, ...]:
        return self.problem_lines

    def _change(self, runs: Sequence[RunHead], **changes: object) -> None:
        ids = {run.run_id for run in runs}
        for run in self.runs:
            if run.head.run_id in ids:
                run.head = replace(run.head, **changes)  # type: ignore[arg-type]

    def tag(self, runs: Sequence[RunHead], add: Sequence[str], remove: Sequence[str]) -> None:
        self.said.append(f"tag {len(runs)} +{','.join(add)} -{','.join(remove)}")
        for run in runs:
            self._change([run], tags=tuple(sorted({*run.tags, *add} - set(remove))))

    def note(self, runs: Sequence[RunHead], body: str) -> None:
        self.said.append(f"note {len(runs)} {body!r}")
        self.notes |= {run.run_id: body for run in runs}
        self._change(runs, has_note=bool(body))

    def note_of(self, run: RunHead) -> str:
        return self.notes.get(run.run_id, "")

    def set_baseline(self, run: RunHead | None) -> None:
        self.said.append(f"baseline {run.name if run else None}")
        self.baseline = run.run_id if run else ""

    def archive(self, runs: Sequence[RunHead], *, is_archived: bool) -> None:
        self.said.append(f"archive {len(runs)} {is_archived}")

    def set_primary(self, metric: str) -> None:
        self.said.append(f"primary {metric}")

    def undo(self) -> str | None:
        return self.said.pop() if self.said else None

    def redo(self) -> str | None:
        return None

    def write_report(self, question: ReportQuestion) -> str:
        self.reports.append(question)
        return f"{question.path} written"

    def command(self, question: RunsQuestion) -> str:
        return f"mlbench query {question.query!r}"

    def markdown(self, run_ids: Sequence[str], columns: Sequence[str]) -> str:
        return "\n".join(run_ids)
