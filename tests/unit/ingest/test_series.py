import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mlbench.ingest import series as module
from mlbench.ingest.naming import NamedPoints, SeriesKey, name_points
from mlbench.ingest.series import SEQ_BITS, RunSeries, SeriesPoints, series_of, sort_points
from mlbench.ingest.summary import summarise
from mlbench.model import PointTable, Role
from mlbench.wire.point_grids import PointGrid
from tests.unit.ingest.sources import draft, points, source


def named(found: NamedPoints | None) -> RunSeries:
    assert found is not None
    return series_of(found)


def told(run: RunSeries, found: SeriesPoints, start: int = 0) -> dict[str, list[tuple[int, int, int, float]]]:
    """Of each metric the source, rank of the file, step and value of each point."""
    rows = list(
        zip(
            found.source_ids.tolist(),
            (found.seq >> SEQ_BITS).tolist(),
            found.steps.tolist(),
            found.values.tolist(),
            strict=True,
        )
    )
    ends = found.ends.tolist()
    return {
        key.metric: rows[end - count : end]
        for key, count, end in zip(run.keys, found.counts.tolist()[start:], ends[start:], strict=False)
    }


def test_a_run_without_points_has_no_series() -> None:
    assert name_points(draft(source("/logs/run/a", None))) is None
    assert sort_points([]).counts.tolist() == []


def test_series_come_by_name_and_their_points_in_the_order_of_the_log() -> None:
    run = named(
        name_points(draft(source("/logs/run/a", points(("b", 2, 0.2), ("a", 1, 0.1), ("b", 1, 0.3)), source_id=7)))
    )

    found = sort_points([run])

    assert run.keys == (SeriesKey("a", "run", "a", "tensorboard"), SeriesKey("b", "run", "b", "tensorboard"))
    assert found.counts.tolist() == [1, 2]
    assert told(run, found) == {"a": [(7, 0, 1, 0.1)], "b": [(7, 0, 2, 0.2), (7, 0, 1, 0.3)]}
    assert found.wall_s.tolist() == [100.0, 200.0, 100.0]
    assert found.seq.tolist() == [1, 0, 2]


def test_files_of_a_run_follow_each_other_by_their_paths_and_not_by_their_ids_or_times() -> None:
    second = source("/logs/run/events.2", points(("a", 1, 0.5), ("b", 1, 0.6)), source_id=1)
    first = source("/logs/run/events.1", points(("a", 9, 0.1)), source_id=2)
    nothing = source("/logs/run/args", None, source_id=3)
    run = named(name_points(draft(second, first, nothing)))

    found = sort_points([run])

    # The file without points has a rank too: it may get some later.
    assert told(run, found) == {"a": [(2, 1, 9, 0.1), (1, 2, 1, 0.5)], "b": [(1, 2, 1, 0.6)]}


def test_a_folded_split_puts_its_name_before_its_metrics_and_keeps_what_tensorboard_says() -> None:
    train = source("/logs/run/train/events", points(("loss", 1, 0.5)), prefix="train")
    val = source("/logs/run/val/events", points(("loss", 1, 0.7), ("val/acc", 1, 0.9)), prefix="val")

    run = named(name_points(draft(val, train)))

    assert run.keys == (
        SeriesKey("train/loss", "run/train", "loss", "tensorboard"),
        SeriesKey("val/acc", "run/val", "val/acc", "tensorboard"),
        SeriesKey("val/loss", "run/val", "loss", "tensorboard"),
    )


def test_a_metric_file_is_of_its_run_wherever_it_lies() -> None:
    run = named(name_points(draft(source("/logs/run/out/log.csv", points(("loss", 1, 0.5)), role=Role.METRICS))))

    assert [key.source_run for key in run.keys] == ["run"]


def test_one_metric_in_two_folders_is_two_series() -> None:
    one = source("/logs/run/events", points(("a", 1, 0.1)), source_id=1)
    other = source("/logs/run/tb/events", points(("a", 1, 0.2)), source_id=2)

    run = named(name_points(draft(one, other)))

    assert [(key.metric, key.source_run) for key in run.keys] == [("a", "run"), ("a", "run/tb")]
    assert sort_points([run]).source_ids.tolist() == [1, 2]


def test_many_runs_are_sorted_one_behind_the_other() -> None:
    runs = [
        named(name_points(draft(source("/logs/r/e", points(("b", 1, 0.1), ("a", 1, 0.2)), source_id=4)))),
        named(
            name_points(
                draft(
                    source("/logs/s/e", points(("c", 1, 0.3)), source_id=5),
                    source("/logs/s/f", points(("c", 2, 0.4), ("a", 2, 0.5)), source_id=6),
                )
            )
        ),
    ]

    found = sort_points(runs)

    assert found.counts.tolist() == [1, 1, 1, 2]
    assert found.source_ids.tolist() == [4, 4, 6, 5, 6]
    assert found.values.tolist() == [0.2, 0.1, 0.5, 0.3, 0.4]
    assert (found.seq & module.PLACE_MASK).tolist() == [1, 0, 1, 0, 0]


@given(
    st.lists(
        st.tuples(st.lists(st.sampled_from("abcdefg"), min_size=1, max_size=30), st.integers(1, 3)),
        min_size=1,
        max_size=4,
    ),
    st.lists(st.integers(0, 2), min_size=7, max_size=7),
)
def test_sheaves_lie_one_behind_the_other_with_the_series_of_all_runs(
    logs: list[tuple[list[str], int]], steps: list[int]
) -> None:
    runs = []
    for number, (metrics, n_files) in enumerate(logs):
        files = [metrics[place::n_files] for place in range(n_files)]
        rows = [points(*((metric, place, 0.5 + place) for place, metric in enumerate(file))) for file in files if file]
        sources = [
            source(f"/logs/{number}/e{rank}", row, source_id=10 * number + rank) for rank, row in enumerate(rows)
        ]
        runs.append(named(name_points(draft(*sources))))
    sheaf_of = dict(zip("abcdefg", np.cumsum(steps).tolist(), strict=True))  # some have no metric
    sheaves = [[sheaf_of[key.metric] for key in run.keys] for run in runs]

    found = sort_points(runs, sheaves)

    plain = sort_points(runs)
    order = sorted(range(plain.counts.size), key=[number for of_run in sheaves for number in of_run].__getitem__)
    places = [slice(plain.ends[place] - plain.counts[place], plain.ends[place]) for place in order]
    assert found.counts.tolist() == plain.counts[order].tolist()
    for name in ("source_ids", "seq", "steps", "wall_s", "values"):
        assert getattr(found, name).tolist() == [
            one for place in places for one in getattr(plain, name)[place].tolist()
        ]


@given(st.lists(st.integers(0, 3), min_size=1, max_size=30))
def test_ends_are_those_of_the_first_and_last_points_of_each_series(which: list[int]) -> None:
    wall_s = [float((7 * place) % 31) for place in range(len(which))]
    n = len(which)
    table = PointTable(
        ("a", "b", "c", "d"), np.array(which, np.int32), np.arange(n), np.array(wall_s), np.zeros(n), np.arange(n)
    )
    run = named(name_points(draft(source("/logs/r/e", table))))

    by_series = [[time for time, number in zip(wall_s, which, strict=True) if number == one] for one in set(which)]

    assert run.ends() == (
        min((times[0] for times in by_series), default=None), max((times[-1] for times in by_series), default=None)
    )  # fmt: skip


def test_more_series_than_sixteen_bits_are_sorted_too() -> None:
    n = (1 << 16) + 2
    names = tuple(f"{number:06}" for number in range(n))
    which = np.arange(n, dtype=np.int32)[::-1].copy()
    numbers = which.astype(np.float64)
    table = PointTable(names, which, which.astype(np.int64), numbers, numbers, np.arange(n))

    found = sort_points([named(name_points(draft(source("/logs/run/e", table))))])

    assert found.steps.tolist() == list(range(n))


@given(st.lists(st.tuples(st.sampled_from([0, 1, 2, 70_000]), st.integers(1, 30)), max_size=20))
def test_long_stretches_are_sorted_as_points_are(stretches: list[tuple[int, int]]) -> None:
    which = np.array([series for series, n in stretches for _point in range(n)], dtype=np.int32)

    found = module.sorted_places(module.stretches_of(which, np.arange(70_001, dtype=np.int32)))

    assert found.tolist() == np.argsort(which, kind="stable").tolist()


@given(
    st.lists(
        st.lists(st.tuples(st.integers(0, 4), st.integers(1, 300)), min_size=1, max_size=12), min_size=1, max_size=3
    )
)
def test_stretches_of_any_length_go_where_their_points_would(
    runs: list[list[tuple[int, int]]],
) -> None:
    made: list[RunSeries] = []
    plain: list[tuple[int, str, int]] = []
    for number, stretches in enumerate(runs):
        which = np.array([metric for metric, n in stretches for _point in range(n)], dtype=np.int32)
        places = np.arange(which.size)
        table = PointTable(
            tuple("cabed"), which, places, np.array(places + 0.5, np.float64), np.array(-places, np.float64), places
        )
        made.append(named(name_points(draft(source(f"/logs/{number}/e", table, source_id=number)))))
        plain += [(number, "cabed"[metric], place) for place, metric in enumerate(which.tolist())]
    sheaves = [["abcde".index(key.metric) // 2 for key in run.keys] for run in made]

    found = sort_points(made, sheaves)

    expected = sorted(plain, key=lambda row: ("abcde".index(row[1]) // 2, row[0], row[1], row[2]))
    assert found.source_ids.tolist() == [number for number, _metric, _place in expected]
    assert found.steps.tolist() == found.seq.tolist() == [place for _number, _metric, place in expected]
    assert found.wall_s.tolist() == [place + 0.5 for _number, _metric, place in expected]
    assert found.values.tolist() == [-place for _number, _metric, place in expected]


def test_the_ends_of_a_run_are_the_finite_times_of_its_files_first_and_last_points() -> None:
    nan = points(("a", 1, 0.1), ("a", 2, 0.2))
    nan.wall_s[0] = np.nan
    nan.wall_s[1] = np.inf
    run = named(
        name_points(draft(source("/logs/run/1", points(("a", 5, 0.1), ("a", 7, 0.1))), source("/logs/run/2", nan)))
    )
    none = named(name_points(draft(source("/logs/run/2", nan))))

    assert run.ends() == (500.0, 700.0)
    assert none.ends() == (None, None)


@st.composite
def grids(draw: st.DrawFn) -> PointGrid:
    """Pieces of one to three turns of some metrics, whose steps and places are the same for all of them or not."""
    metrics = tuple(draw(st.permutations("abcde"))[: draw(st.integers(1, 5))])
    sizes = draw(st.lists(st.integers(1, 3), min_size=1, max_size=3))
    n_lines, n_each = len(metrics), sum(sizes)
    random = np.random.default_rng(draw(st.integers(0, 99)))
    steps = random.integers(-5, 5, (draw(st.sampled_from([1, n_lines])), n_each))
    line_seq = random.permutation(n_lines)[:, None] + np.zeros((1, draw(st.sampled_from([1, n_each]))), np.int64)
    values = [random.random((n_lines, n)).astype(draw(st.sampled_from([np.float32, np.float64]))) for n in sizes]
    walls = [random.random((n_lines, n)) for n in sizes]
    walls[0][0, 0] = np.nan
    if draw(st.booleans()):
        values[-1][-1, -1] = draw(st.sampled_from([np.nan, np.inf, -np.inf]))
    return PointGrid(metrics, steps, walls, values, line_seq, np.sort(random.integers(0, 999, n_each)) * n_lines)


def as_table(grid: PointGrid) -> PointTable:
    return PointTable(grid.metrics, grid.which, grid.steps, grid.wall_s, grid.values, grid.seq)


@given(st.lists(st.tuples(st.lists(grids(), min_size=1, max_size=2), st.sampled_from(["", "b"])), max_size=3))
def test_a_matrix_goes_where_its_points_would_go(runs: list[tuple[list[PointGrid], str]]) -> None:
    one, other = (
        [
            named(
                name_points(
                    draft(
                        source(f"/logs/{number}/c", None),  # the first rank
                        *(
                            source(f"/logs/{number}/e{n}", take(table), source_id=10 * number + n, prefix=prefix)
                            for n, table in enumerate(tables)
                        ),
                    )
                )
            )
            for number, (tables, prefix) in enumerate(runs)
        ]
        for take in (lambda grid: grid, as_table)
    )
    sheaves = [["abcde".index(key.metric[-1]) // 2 for key in run.keys] for run in one]

    found, expected = sort_points(one, sheaves), sort_points(other, sheaves)

    for name in ("counts", "source_ids", "seq", "steps", "wall_s", "values"):
        assert getattr(found, name).tobytes() == getattr(expected, name).tobytes(), name
    assert [run.ends() for run in one] == [run.ends() for run in other]
    assert [run.keys for run in one] == [run.keys for run in other]


@given(grids(), st.lists(st.sampled_from(["alike", "turned", "higher", "table"]), min_size=1, max_size=6))
def test_matrices_of_one_form_go_where_their_points_would_go(grid: PointGrid, kinds: list[str]) -> None:
    """Together as long as they lie one behind another: not where a table comes between, or another sheaf."""
    one, other = [], []
    for number, kind in enumerate(kinds):
        walls = [piece + number for piece in grid.wall_pieces]
        metrics = grid.metrics[::-1] if kind == "turned" else grid.metrics
        made = PointGrid(metrics, grid.line_steps, walls, grid.value_pieces, grid.line_seq, grid.later_seq)
        prefix = "h" if kind == "higher" else ""
        first, second = (
            named(name_points(draft(source("/logs/e", table, source_id=number, prefix=prefix))))
            for table in (as_table(made) if kind == "table" else made, as_table(made))
        )
        one.append(first)
        other.append(second)
    sheaves = [
        ["abcde".index(key.metric[-1]) // 2 + (kind == "higher") for key in run.keys]
        for run, kind in zip(one, kinds, strict=True)
    ]

    found, expected = sort_points(one, sheaves), sort_points(other, sheaves)

    for name in ("counts", "source_ids", "seq", "steps", "wall_s", "values"):
        assert getattr(found, name).tobytes() == getattr(expected, name).tobytes(), name


@given(st.lists(grids(), min_size=1, max_size=3))
def test_points_of_32_bits_are_summarised_as_those_of_64(tables: list[PointGrid]) -> None:
    runs = [named(name_points(draft(source(f"/logs/{n}/e", table)))) for n, table in enumerate(tables)]

    found, wide = sort_points(runs, may_be_single=True), sort_points(runs)

    is_single = all(table.is_single for table in tables)
    assert (found.steps.itemsize, found.values.itemsize) == ((4, 4) if is_single else (8, 8))
    assert found.steps.tolist() == wide.steps.tolist()
    assert found.values.astype(np.float64).tobytes() == wide.values.tobytes()
    summary, expected = summarise(found), summarise(wide)
    assert {name: column.type for name, column in summary.items()} == {n: c.type for n, c in expected.items()}
    assert str({name: column.to_pylist() for name, column in summary.items()}) == str(
        {name: column.to_pylist() for name, column in expected.items()}
    )


@given(st.sampled_from([-(2**31) - 1, -(2**31), 0, 2**31 - 1, 2**31]))
def test_a_matrix_is_of_32_bits_where_all_of_it_fits(step: int) -> None:
    steps, walls = np.array([[0, step]]), [np.zeros((2, 2))]
    grids_of = [
        PointGrid(("a", "b"), steps, walls, [np.zeros((2, 2), dtype)], np.array([[0], [1]]), np.array([0, 2]))
        for dtype in (np.float32, np.float64)
    ]

    assert [grid.is_single for grid in grids_of] == [-(2**31) <= step < 2**31, False]


@given(grids())
def test_a_matrix_is_a_table(grid: PointGrid) -> None:
    n_lines, n_each = len(grid.metrics), grid.n_each
    seq = grid.line_seq + grid.later_seq

    for place, metric in enumerate(grid.split()):
        assert metric.metric == grid.metrics[place]
        assert metric.steps.tolist() == grid.line_steps[place % len(grid.line_steps)].tolist()
        assert metric.wall_s.tobytes() == np.concatenate([piece[place] for piece in grid.wall_pieces]).tobytes()
        assert (
            metric.values.tobytes() == np.concatenate([one[place] for one in grid.value_pieces], dtype="f8").tobytes()
        )
        assert metric.seq.tolist() == seq[place].tolist()
    assert grid.n_points == grid.which.size == n_lines * n_each
