"""What stands behind the facts of one run, fetched when it is looked at: points, places in logs, pixels, patches."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from mlbench.errors import SourceError
from mlbench.safe import path_of_text, text_of_path

if TYPE_CHECKING:
    from mlbench.catalog.reader import Reader
    from mlbench.queries.answers import GroupRow, RunsAnswer, SeriesAnswer
    from mlbench.queries.blobs import BlobPlace
    from mlbench.queries.layouts import LayoutsAnswer
    from mlbench.queries.members import Members
    from mlbench.queries.settings_versus import SettingsVersus
    from mlbench.queries.standing import Standings
    from mlbench.tui.logged import LoggedFound

PATCHES = ("mlbench-run.patch", "diff.patch", "git_diff.patch", os.path.join("files", "diff.patch"))
"""Where tools leave what was not committed, beside a source or in it."""
MOST_PATCH_BYTES = 1 << 20
MOST_MATRIX_CELLS = 2_000_000
"""Of all compared runs together: 16 bytes each. Two matrices of a thousand classes, all of a hundred."""
MOST_HISTOGRAMS, LEAST_HISTOGRAMS = 512, 16
"""Of all compared runs together, and of each: a heat map has two columns of pixels a cell, and reads half a
millisecond for each histogram with its distances."""
_FOLDERS = "SELECT DISTINCT path FROM source WHERE list_contains(run_ids, ?) ORDER BY path"


class RunDetails:
    """Answers for the run screen; every question runs in a thread, one at a time."""

    def __init__(self, reading: Callable[[], AbstractContextManager[Reader]], roots: Sequence[str] = ()) -> None:
        self._reading = reading
        self._roots = tuple(roots)

    def curve(self, run_id: str, metric: str) -> SeriesAnswer | None:
        """The points of one metric."""
        import mlbench.render.chart_text  # noqa: F401 - numpy is loaded here, in a thread, and not while drawing
        from mlbench.queries.series import fetch_series

        with self._reading() as reader:
            return next(iter(fetch_series(reader, [run_id], [metric], has_times=False)), None)

    def front(self, query: str, aims: Sequence[str]) -> RunsAnswer:
        """The runs that match and that no other of them beats in all aims; its last remark says how many."""
        from mlbench.queries.pareto import find_front

        with self._reading() as reader:
            return find_front(reader, aims, where=query, within=self._roots)

    def verdict(self, run_ids: Sequence[str]) -> SettingsVersus:
        """The settings of the runs against that of the first, with the runs that repeat them."""
        from mlbench.queries.settings_versus import compare_settings

        with self._reading() as reader:
            return compare_settings(reader, run_ids, within=self._roots)

    def members(self, group: GroupRow) -> Members:
        """What the runs of a group came to, also where they came to the same."""
        from mlbench.queries.members import find_members

        with self._reading() as reader:
            return find_members(reader, group.keys, group.run_ids, group.n_ended_well)

    def layouts(self, run_ids: Sequence[str], name: str) -> LayoutsAnswer:
        """The charts of this name that the logs of the runs lay out."""
        from mlbench.queries.layouts import fetch_layouts

        with self._reading() as reader:
            return fetch_layouts(reader, run_ids, name)

    def standings(self, metric: str, watched: Sequence[str]) -> Standings:
        """How the running runs stand, and those that are watched."""
        from mlbench.queries.standing import fetch_standings

        with self._reading() as reader:
            return fetch_standings(reader, metric, watched)

    def places(self, run_id: str, kind: str, metric: str) -> tuple[BlobPlace, ...]:
        """Where each step of something lies, in the order of steps; of a step that was logged twice the later one."""
        from mlbench.queries.blobs import fetch_places

        with self._reading() as reader:
            found = fetch_places(reader, [run_id], kinds=[kind], metrics=[metric])
        return tuple(by_step for _step, by_step in sorted({place.step: place for place in found}.items()))

    def pictures(self, run_ids: Sequence[str]) -> tuple[BlobPlace, ...]:
        """Where the images of some runs lie."""
        from mlbench.queries.blobs import fetch_places

        with self._reading() as reader:
            return fetch_places(reader, run_ids, kinds=["image"])

    def logged(self, run_ids: Sequence[str], kind: str, metric: str) -> LoggedFound:
        """What some runs logged of a kind under a name, or that which most of them have."""
        from mlbench.queries.logged import fetch_logged_names
        from mlbench.tui.logged import LoggedFound

        with self._reading() as reader:
            names = fetch_logged_names(reader, run_ids, kind)
            chosen = metric if metric in names else next(iter(names), "")
            if not chosen:
                return LoggedFound(names)
            read = _matrices if kind == "confusion" else _histories
            return read(reader, run_ids, names, chosen)

    def content(self, place: BlobPlace) -> object:
        """What lies at a place: pixels, a histogram, a PR curve, rows of text; a ProblemLine if it is not read."""
        from mlbench.queries.answers import ProblemLine
        from mlbench.queries.blobs import decode_place, read_place
        from mlbench.wire.pictures import read_picture
        from mlbench.wire.protobuf import WireError

        if place.kind == "confusion":
            from mlbench.queries.matrix import read_matrix

            return read_matrix(place)
        if place.kind != "image":
            return decode_place(place)
        content = read_place(place)
        if isinstance(content, ProblemLine):
            return content
        try:
            return read_picture(content)
        except WireError as error:
            return ProblemLine(place.path, f"offset {place.offset}", f"The image could not be decoded: {error}",
                               "Its bytes can be written to a file", place.head.run_id)  # fmt: skip

    def rerun(self, run_id: str) -> str:
        """By the rules of reports."""
        from mlbench.queries.report import reproduction

        with self._reading() as reader:
            return reproduction(reader, run_id)

    def patch(self, run_id: str) -> tuple[str, str] | None:
        """Path and text of the changes that were not committed, as a tool left them; secrets are blotted
        out, and of notebooks the cells are shown.
        """
        from mlbench.queries.code import patch_of_run

        with self._reading() as reader:
            paths = [path_of_text(path) for (path,) in reader.rows(_FOLDERS, [run_id])]
            folders = dict.fromkeys(path if os.path.isdir(path) else os.path.dirname(path) for path in paths)
            for place in (os.path.join(folder, name) for folder in folders for name in PATCHES):
                if text := _text_of(place):
                    return text_of_path(place), patch_of_run(reader, run_id, text)
        return None

    def write(self, place: BlobPlace, path: str, *, may_replace: bool) -> str:
        """Write the bytes of a place to a file and give its path. Raises SourceError where that cannot be done."""
        from mlbench.queries.answers import ProblemLine
        from mlbench.queries.blobs import read_place
        from mlbench.render.export import write_file

        content = read_place(place)
        if isinstance(content, ProblemLine):
            raise SourceError(f"{content.path}: {content.what}. {content.hint}")
        target = os.path.abspath(os.path.expanduser(path))
        write_file(target, content, is_new=not may_replace)
        return target


def _matrices(reader: Reader, run_ids: Sequence[str], names: Mapping[str, int], metric: str) -> LoggedFound:
    from mlbench.queries.matrix import fetch_matrices
    from mlbench.render.matrices import align_matrices
    from mlbench.tui.logged import LoggedFound

    answer = fetch_matrices(reader, run_ids, [metric])
    n_classes = max((len(matrix.labels) for matrix in answer.items), default=1)
    shown = answer.items[: max(MOST_MATRIX_CELLS // n_classes**2, 2)]
    n_left_out = len(answer.items) - len(shown)
    return LoggedFound(names, metric, shown, answer.problems, align_matrices(shown), n_left_out)


def _histories(reader: Reader, run_ids: Sequence[str], names: Mapping[str, int], metric: str) -> LoggedFound:
    from mlbench.queries.blobs import fetch_histogram_history
    from mlbench.render.histories_beside import told_histories
    from mlbench.tui.logged import LoggedFound

    most = max(MOST_HISTOGRAMS // max(len(run_ids), 1), LEAST_HISTOGRAMS)
    answer = fetch_histogram_history(reader, run_ids, [metric], most=most)
    return LoggedFound(names, metric, told_histories(answer.items), answer.problems)


def _text_of(path: str) -> str:
    """The text of a small regular file, '' where there is none."""
    from mlbench.wire.files import open_regular

    try:
        with open_regular(path) as file:
            return str(file.read(MOST_PATCH_BYTES).decode("utf-8", "replace"))
    except (OSError, ValueError):
        return ""


def chosen_steps(places: Sequence[BlobPlace], most: int) -> Sequence[BlobPlace]:
    """At most so many places, evenly over the training, the first and the last among them."""
    if len(places) <= most:
        return places
    return [places[round(i * (len(places) - 1) / (most - 1))] for i in range(most)]
