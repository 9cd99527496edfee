"""Every command on the sample runs: what it prints, what it says, how it ends."""

import csv
import io
import json
import os
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from mlbench import __version__
from mlbench.main import COMMANDS
from mlbench.wire.parity.shown import PARITY_VIEWS
from tests.events import scalar_file
from tests.unit.cli.conftest import SAMPLES, Done

Mlbench = Callable[..., Done]
SEEDS = ("sweep/adam-lr0.01-w64-seed0", "sweep/adam-lr0.01-w64-seed1")


def objects(done: Done) -> list[dict[str, object]]:
    assert done.code == 0, done.err
    parsed: list[dict[str, object]] = json.loads(done.out)
    return parsed


# ---------------------------------------------------------------- help and mistakes


def test_help_lists_every_command(mlbench: Mlbench) -> None:
    done = mlbench("--help")

    assert done.code == 0
    assert all(f"  {name} " in done.out for name in COMMANDS)


def test_version(mlbench: Mlbench) -> None:
    assert mlbench("--version").out == f"mlbench {__version__}\n"


def test_a_mistyped_command_is_told_the_nearest(mlbench: Mlbench) -> None:
    done = mlbench("qurey")

    assert done.code == 2
    assert done.err == "mlbench: 'qurey' is neither a command nor an existing path. Did you mean: mlbench query?\n"


def test_a_mistyped_option_says_where_help_is(mlbench: Mlbench) -> None:
    done = mlbench("query", "--limt", "3")

    assert done.code == 2
    assert "--limt" in done.err
    assert "Try" in done.err or "Did you mean" in done.err


def test_a_mistyped_metric_is_told_the_nearest(mlbench: Mlbench) -> None:
    done = mlbench("query", "metrics.val/los < 1")

    assert done.code == 2
    assert "Did you mean" in done.err
    assert "val/loss" in done.err


# ---------------------------------------------------------------- ingest


def test_a_second_ingest_reads_no_file(mlbench: Mlbench) -> None:
    (row,) = objects(mlbench("ingest", str(SAMPLES), "--format", "json"))

    assert row["files_read"] == 0
    assert row["runs"] == 33


def test_ingesting_a_path_that_does_not_exist_ends_with_three(mlbench: Mlbench) -> None:
    done = mlbench("ingest", "nowhere")

    assert done.code == 3
    assert done.err == "mlbench: nowhere: no such directory. Try: mlbench ingest DIR, with a DIR that holds logs\n"


def test_of_two_paths_one_missing_the_other_is_read(mlbench: Mlbench) -> None:
    done = mlbench("ingest", str(SAMPLES), "nowhere", "--format", "json")

    assert done.code == 3
    assert json.loads(done.out)[0]["runs"] == 33
    assert "nowhere: no such directory" in done.err


def test_ingesting_a_file_says_what_to_name_instead(mlbench: Mlbench) -> None:
    done = mlbench("ingest", str(SAMPLES / "README.md"))

    assert done.code == 3
    assert "not a directory" in done.err


def test_an_empty_directory_is_an_answer_that_says_what_is_looked_for(mlbench: Mlbench, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()

    done = mlbench("ingest", "empty")

    assert done.code == 0
    assert "no runs found" in done.err


def test_a_truncated_and_a_garbage_log_are_told_and_strict_makes_them_three(mlbench: Mlbench, tmp_path: Path) -> None:
    log = next((SAMPLES / "logs/sweep").glob("*/events*"))
    (tmp_path / "logs/a").mkdir(parents=True)
    (tmp_path / "logs/a" / log.name).write_bytes(log.read_bytes()[:5000])
    (tmp_path / "logs/b").mkdir()
    (tmp_path / "logs/b" / log.name).write_bytes(b"this is no event file" * 40)

    done = mlbench("ingest", "logs")
    strict = mlbench("ingest", "logs", "--strict")
    listed = mlbench("doctor", "--in", "logs", "--format", "json")

    assert (done.code, strict.code) == (0, 3)
    assert "Try: mlbench doctor" in done.err
    told = {problem["path"] for problem in objects(listed)}
    assert told == {str(tmp_path / "logs" / name / log.name) for name in ("a", "b")}


def test_rebuild_reads_everything_again(mlbench: Mlbench) -> None:
    (row,) = objects(mlbench("rebuild", "--format", "json"))

    assert row["runs"] == 33
    assert row["files_unchanged"] == 0


# ---------------------------------------------------------------- query


def test_query_without_a_terminal_is_tsv_with_the_run_first(mlbench: Mlbench) -> None:
    done = mlbench("query", "--limit", "2")

    lines = [line.split("\t") for line in done.out.splitlines()]
    assert len(lines) == 3
    assert lines[0][0] == "run"
    assert len({len(line) for line in lines}) == 1


def test_query_as_json_has_the_specs_as_keys(mlbench: Mlbench) -> None:
    rows = objects(
        mlbench(
            "query",
            "lr = 0.01 and seed = 0",
            "-c",
            "params.lr",
            "-c",
            "max(metrics.val/acc) as best",
            "--format",
            "json",
        )
    )

    assert [list(row) for row in rows] == [["run", "params.lr", "best"]] * len(rows)
    assert {row["params.lr"] for row in rows} == {0.01}
    assert all(isinstance(row["best"], float) and 0.2 < row["best"] < 1 for row in rows)


def test_query_sorts_and_limits(mlbench: Mlbench) -> None:
    rows = objects(
        mlbench(
            "query",
            "--sort",
            "max(metrics.val/acc):desc",
            "-c",
            "max(metrics.val/acc) as best",
            "-n",
            "5",
            "--format",
            "json",
        )
    )

    best = [row["best"] for row in rows]
    assert len(best) == 5
    assert best == sorted(best, reverse=True)  # type: ignore[type-var]


def test_an_empty_answer_is_an_answer(mlbench: Mlbench) -> None:
    assert mlbench("query", "lr > 1000", "--format", "json") == (0, "[]\n", "mlbench: lr is params.lr\n")


def test_the_run_that_diverged_is_found_by_its_curve(mlbench: Mlbench) -> None:
    rows = objects(mlbench("query", "nan(metrics.train/loss)", "--format", "json", "-c", "name"))

    assert [row["run"] for row in rows] == ["logs/sweep/sgd-lr30-w64-wd0.1-seed0"]


def test_query_narrows_to_a_path(mlbench: Mlbench) -> None:
    rows = objects(mlbench("query", "--in", str(SAMPLES / "logs/long"), "--format", "json", "-c", "name"))

    assert len(rows) == 2


@pytest.mark.parametrize("form", ["table", "jsonl", "csv", "tsv", "markdown", "latex"])
def test_every_text_format_holds_every_run(mlbench: Mlbench, form: str) -> None:
    done = mlbench("query", "logs/long", "-c", "params.lr", "--format", form)

    assert done.code == 0
    assert done.out.count("seed") >= 2


# ---------------------------------------------------------------- show, diff


def test_show_tells_params_metrics_code_and_data(mlbench: Mlbench) -> None:
    done = mlbench("show", SEEDS[0], "--format", "table")

    assert done.code == 0
    for text in ("optimizer", "val/acc", "git.json", "digits", "confusion_matrix"):
        assert text in done.out


def test_show_takes_one_run(mlbench: Mlbench) -> None:
    assert mlbench("show", "logs/long/*").code == 2


def test_diff_of_two_seeds_shows_the_seed_and_the_metrics(mlbench: Mlbench) -> None:
    rows = objects(mlbench("diff", *SEEDS, "--format", "json"))

    assert [row["key"] for row in rows if row["section"] == "params"] == ["seed"]
    assert "val/acc" in {row["key"] for row in rows if row["section"] == "best"}


def test_diff_between_code_and_data_versions(mlbench: Mlbench) -> None:
    rows = objects(mlbench("diff", "first-try/seed0", SEEDS[0], "--format", "json"))

    sections = {str(row["section"]) for row in rows}
    assert {"params", "best", "last", "code", "data"} <= sections


def test_diff_can_tell_scripts_that_something_differs(mlbench: Mlbench) -> None:
    assert mlbench("diff", *SEEDS, "--exit-code").code == 1
    assert mlbench("diff", *SEEDS).code == 0


@pytest.mark.parametrize("words", [("--all",), ("--deltas",), ("--at", "val/acc"), ("--layers",), ("--code",), ("--repo", "."), ("--exit-code",)])  # fmt: skip
def test_a_verdict_refuses_what_means_nothing_to_it(mlbench: Mlbench, words: tuple[str, ...]) -> None:
    done = mlbench("diff", "--verdict", *words, "x", "y")

    assert (done.code, f"{words[0]} means nothing with --verdict" in done.err) == (2, True)


def test_diff_takes_two_runs_or_more(mlbench: Mlbench) -> None:
    done = mlbench("diff", SEEDS[0])

    assert done.code == 2
    assert "two runs or more" in done.err


def test_a_mistyped_run_is_told_the_nearest(mlbench: Mlbench) -> None:
    done = mlbench("show", "sweep/adam-lr0.01-w64-sed0")

    assert done.code == 2
    assert "Did you mean" in done.err


# ---------------------------------------------------------------- plot


def test_plot_draws_the_curves_with_their_names(mlbench: Mlbench) -> None:
    done = mlbench(
        "plot", "-m", "val/loss", "logs/long", "--width", "80", "--height", "20", "--smooth", "0.6", "--log-y"
    )

    assert done.code == 0
    assert done.out.splitlines()[0].startswith("val/loss")
    assert "smoothing 0.6" in done.out
    assert max(len(line) for line in done.out.splitlines()) <= 80


@pytest.mark.parametrize("kind", ["hist", "bar", "box"])
def test_plot_draws_last_values(mlbench: Mlbench, kind: str) -> None:
    done = mlbench(
        "plot",
        "-m",
        "val/acc",
        "logs/sweep and lr < 1",
        "--kind",
        kind,
        *(("--group-by", "optimizer") if kind == "box" else ()),
        "--width",
        "80",
    )

    assert done.code == 0
    assert "val/acc" in done.out
    assert ("optimizer=adam" in done.out) == (kind == "box")
    assert ("1 adam-lr0.1-w64-seed" in done.out) == (kind == "bar")


def test_plot_groups_seeds_into_a_mean(mlbench: Mlbench, tmp_path: Path) -> None:
    done = mlbench(
        "plot",
        "-m",
        "val/acc",
        "logs/sweep and lr < 1",
        "--group-by",
        "optimizer",
        "--band",
        "ci",
        "--svg",
        "groups.svg",
    )

    assert done.code == 0
    svg = (tmp_path / "groups.svg").read_text("utf-8")
    assert "optimizer=adam (n=12)" in svg
    assert "optimizer=sgd (n=12)" in svg


def test_plot_writes_svg(mlbench: Mlbench, tmp_path: Path) -> None:
    done = mlbench("plot", "-m", "val/loss", "logs/long", "--svg", "chart.svg")

    assert done.code == 0
    assert (tmp_path / "chart.svg").read_text("utf-8").startswith("<svg")


def test_plot_as_data(mlbench: Mlbench) -> None:
    rows = objects(mlbench("plot", "-m", "val/loss", "long/w128-seed1", "--format", "json"))

    assert [*rows[0]] == ["run", "metric", "step", "wall_time", "value"]


# ---------------------------------------------------------------- words


def test_tags_are_added_and_removed_and_printed(mlbench: Mlbench) -> None:
    assert mlbench("tag", *SEEDS, "+good", "+fast", "--format", "json").code == 0
    done = mlbench("tag", SEEDS[0], "--format", "json", "--", "-fast")

    assert objects(done)[0]["tags"] == ["good"]
    assert len(objects(mlbench("query", "tag:fast", "--format", "json", "-c", "name"))) == 1


def test_tags_by_filter(mlbench: Mlbench) -> None:
    rows = objects(mlbench("tag", "--where", "logs/sweep and optimizer = adam", "+adam", "--format", "json"))

    assert len(rows) == 12
    assert all(row["tags"] == ["adam"] for row in rows)


def test_tag_without_a_tag_says_how(mlbench: Mlbench) -> None:
    done = mlbench("tag", SEEDS[0])

    assert done.code == 2
    assert "+NAME" in done.err


def test_a_note_is_written_read_replaced_and_taken_back(mlbench: Mlbench) -> None:
    mlbench("note", SEEDS[0], "first")
    mlbench("note", SEEDS[0], "second")
    assert objects(mlbench("note", SEEDS[0], "--format", "json"))[0]["note"] == "second"

    mlbench("undo")

    assert objects(mlbench("note", SEEDS[0], "--format", "json"))[0]["note"] == "first"


def test_a_name_and_a_baseline(mlbench: Mlbench) -> None:
    mlbench("name", SEEDS[0], "champion")
    mlbench("baseline", "champion")

    done = mlbench("show", "@baseline", "--format", "json")

    assert "champion" in done.out


def test_archived_runs_leave_the_table(mlbench: Mlbench) -> None:
    before = len(objects(mlbench("query", "--format", "json", "-c", "name")))
    mlbench("archive", "logs/long/*")
    after = len(objects(mlbench("query", "--format", "json", "-c", "name")))
    mlbench("archive", "--undo", "logs/long/*")

    assert (before, after) == (33, 31)
    assert len(objects(mlbench("query", "--format", "json", "-c", "name"))) == 33


def test_a_goal_that_is_set_is_known_as_set(mlbench: Mlbench) -> None:
    assert objects(mlbench("metric", "val/loss", "--goal", "min", "--primary", "--format", "json")) == [
        {"metric": "val/loss", "goal": "min", "known": "set", "primary": True}
    ]
    assert {row["metric"]: row["known"] for row in objects(mlbench("metric", "--format", "json"))}[
        "val/acc"
    ] == "guessed"


def test_undo_with_nothing_to_undo(mlbench: Mlbench) -> None:
    assert mlbench("undo").err == "mlbench: there is nothing to take back\n"


def test_query_groups_runs_by_columns(mlbench: Mlbench) -> None:
    done = mlbench(
        "query", "logs/sweep", "--group-by", "params.optimizer, params.width", "-c", "step of min(val/loss) as at"
    )

    assert done.code == 0
    heading, first = (line.split("\t") for line in done.out.splitlines()[:2])
    assert heading == ["params.optimizer", "params.width", "runs", "at", "at ±", "at n", "died"]
    assert (*first[:3], first[5]) == ("adam", "16", "6", "6")
    assert float(first[3]) == pytest.approx(203.333, abs=1e-3)
    assert float(first[4]) == pytest.approx(42.326, abs=1e-3)
    assert mlbench("query", "--group-by", "nothing").code == 2


# ---------------------------------------------------------------- report, export, doctor, completion


def test_report_is_written_with_its_charts_and_never_over_another(mlbench: Mlbench, tmp_path: Path) -> None:
    done = mlbench("report", "logs/long", "-m", "val/loss", "-o", "long.md")
    again = mlbench("report", "logs/long", "-m", "val/loss", "-o", "long.md")

    assert done.code == 0
    text = (tmp_path / "long.md").read_text("utf-8")
    assert text.startswith("---\nquery:")
    assert [name for name in os.listdir(tmp_path) if name.endswith(".svg")]
    assert again.code == 3
    assert "is there already" in again.err


def test_report_to_stdout_has_its_charts_inline(mlbench: Mlbench) -> None:
    done = mlbench("report", "logs/long", "-o", "-")

    assert done.code == 0
    assert "w128-seed0" in done.out
    assert ".svg" not in done.out


def test_export_series_keeps_names_of_the_log(mlbench: Mlbench, tmp_path: Path) -> None:
    done = mlbench("export", "series", "logs/long", "-o", "s.parquet", "--view", "raw")

    table = pq.read_table(tmp_path / "s.parquet")
    assert done.code == 0
    assert table.column_names == [
        "root",
        "run",
        "metric",
        "source_run",
        "source_metric",
        "step",
        "wall_time",
        "value",
        "seq",
    ]
    assert set(table.column("run").to_pylist()) == {"logs/long/w128-seed0", "logs/long/w128-seed1"}


def test_the_effective_view_leaves_out_what_a_restart_replaced(mlbench: Mlbench, tmp_path: Path) -> None:
    mlbench("export", "series", "long/w128-seed0", "-o", "raw.csv", "--view", "raw")
    mlbench("export", "series", "long/w128-seed0", "-o", "effective.csv")

    n_raw, n_effective = (
        len(list(csv.reader(io.StringIO((tmp_path / name).read_text("utf-8")))))
        for name in ("raw.csv", "effective.csv")
    )
    assert n_raw > n_effective > 1


def test_the_effective_view_says_how_many_points_it_leaves_out(mlbench: Mlbench) -> None:
    effective = mlbench("export", "series", "long/w128-seed0", "-o", "effective.csv")
    raw = mlbench("export", "series", "long/w128-seed0", "-o", "raw.csv", "--view", "raw")
    plot = mlbench("plot", "-m", "val/loss", "long/w128-seed0", "--width", "60", "--height", "10")

    assert "points were replaced by a restart and are left out. Try: --view raw, for all\n" in effective.err
    assert "replaced" not in raw.err
    assert "points were replaced by a restart and are left out\n" in plot.err


def test_the_views_of_tensorboard_are_exported_alike(mlbench: Mlbench, tmp_path: Path) -> None:
    n_rows = {}
    for view in PARITY_VIEWS:
        done = mlbench("export", "series", "long/w128-seed0", "-o", f"{view}.parquet", "--view", view, "--strict")
        assert done.code == 0, done.err
        n_rows[view] = pq.read_table(tmp_path / f"{view}.parquet").num_rows
    mlbench("export", "series", "long/w128-seed0", "-o", "raw.parquet", "--view", "raw")

    n_raw = pq.read_table(tmp_path / "raw.parquet").num_rows
    assert n_rows["eventaccumulator"] == n_rows["plugin"] == n_raw
    assert 0 < n_rows["tensorboard"] < n_raw


@pytest.mark.parametrize("view", PARITY_VIEWS)
def test_a_point_has_the_same_number_and_names_in_every_view(mlbench: Mlbench, tmp_path: Path, view: str) -> None:
    for name in (view, "raw"):
        mlbench("export", "series", "-o", f"{name}.parquet", "--view", name)

    points, raw = (
        {repr(row) for row in pq.read_table(tmp_path / f"{name}.parquet").to_pylist()} for name in (view, "raw")
    )

    assert len(points) > 1000
    assert points <= raw


def test_damage_is_told_twenty_files_at_most_and_strict_ends_with_3(mlbench: Mlbench, tmp_path: Path) -> None:
    for place in range(22):
        path = tmp_path / f"damaged/{place:02}/tfevents.1"
        scalar_file(path, {"loss": [(0, 1.0)]})
        path.write_bytes(path.read_bytes() + b"no record at all")
    mlbench("ingest", "damaged")

    loose = mlbench("export", "series", "--in", "damaged", "-o", "p.csv", "--view", "plugin")
    strict = mlbench("export", "series", "--in", "damaged", "-o", "p.csv", "--view", "plugin", "--strict")

    assert (loose.code, strict.code) == (0, 3)
    assert loose.err.count("The reader ends at a checksum that does not hold") == 20
    assert "mlbench: 2 more such problems\n" in loose.err


def test_series_that_tensorboard_cannot_have_are_counted(mlbench: Mlbench, tmp_path: Path) -> None:
    (tmp_path / "csv/a").mkdir(parents=True)
    (tmp_path / "csv/a/metrics.csv").write_text("step,loss\n0,1\n1,2\n")
    mlbench("ingest", "csv")

    done = mlbench("export", "series", "--in", "csv", "-o", "p.csv", "--view", "tensorboard")

    assert done.code == 0
    assert "1 series of these runs comes from no event file and is not in this view" in done.err
    assert (tmp_path / "p.csv").read_text("utf-8").count("\n") == 1


@pytest.mark.parametrize("what", ["runs", "params"])
@pytest.mark.parametrize("ending", ["csv", "json", "parquet"])
def test_export_in_every_format(mlbench: Mlbench, tmp_path: Path, what: str, ending: str) -> None:
    assert mlbench("export", what, "logs/long", "-o", f"out.{ending}").code == 0
    assert (tmp_path / f"out.{ending}").stat().st_size > 100


def test_export_to_an_unknown_ending_is_a_mistake(mlbench: Mlbench) -> None:
    assert mlbench("export", "runs", "-o", "out.xlsx").code == 2


def test_doctor_says_that_all_is_well(mlbench: Mlbench) -> None:
    done = mlbench("doctor")

    assert done.code == 0
    assert done.err.endswith("mlbench: no problems\n")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts(mlbench: Mlbench, shell: str) -> None:
    done = mlbench("completion", shell)

    assert done.code == 0
    assert "_MLBENCH_COMPLETE" in done.out


def test_completion_knows_runs_metrics_and_specs(home: Path) -> None:
    import click

    from mlbench.cli import completing

    context = click.Context(click.Command("x"))
    parameter = click.Argument(["x"])

    assert "logs/long/w128-seed0" in completing.complete_runs(context, parameter, "logs/long")
    assert completing.complete_metrics(context, parameter, "val/acc") == ["val/acc"]
    assert [one.value for one in completing.complete_specs(context, parameter, "params.o")] == ["params.optimizer"]
    found = completing.complete_filter(context, parameter, "params.lr > 0.1 and optimizer = ad")
    assert [(one.value, one.help) for one in found] == [("params.lr > 0.1 and optimizer = adam", "value")]


# ---------------------------------------------------------------- the main job without a terminal


def test_without_a_terminal_the_comparison_is_printed_and_how_to_open_the_app(mlbench: Mlbench) -> None:
    done = mlbench(str(SAMPLES))

    assert done.code == 0
    assert "params:" in done.out
    assert "val/acc" in done.out
    assert "mlbench" in done.err


def test_the_printed_runs_are_in_the_order_of_a_column_that_is_seen(mlbench: Mlbench, tmp_path: Path) -> None:
    for name, values in (("a", (0.9, 0.1)), ("b", (0.7, 0.6)), ("c", (0.8, 0.3))):
        points = list(enumerate(values))
        scalar_file(tmp_path / "other" / name / "events.out.tfevents.1700000000.host", {"accuracy": points})

    done = mlbench("other")

    heading, *rows = (line.split("  ") for line in done.out.splitlines()[:4])
    shown = [[cell.strip() for cell in row if cell.strip()] for row in (heading, *rows)]
    assert shown[0][:3] == ["run", "best accuracy ↑", "accuracy ↑"]
    assert [row[:3] for row in shown[1:]] == [["a", "0.9", "0.1"], ["c", "0.8", "0.3"], ["b", "0.7", "0.6"]]


def test_opening_a_path_that_does_not_exist(mlbench: Mlbench) -> None:
    done = mlbench("open", "nowhere")

    assert done.code == 3
    assert "nowhere: no such directory" in done.err


def test_plot_prints_a_confusion_matrix_as_numbers(mlbench: Mlbench) -> None:
    done = mlbench("plot", "--kind", "matrix", "long/w128-seed1", "--width", "100")

    assert done.code == 0
    assert "confusion_matrix" in done.out
    assert len([line for line in done.out.splitlines() if line.lstrip()[:1].isdigit()]) >= 10


def test_the_comparison_goes_by_the_best_metric_of_the_runs_it_shows(mlbench: Mlbench, tmp_path: Path) -> None:
    scalar_file(tmp_path / "other/a/events.out.tfevents.1700000000.host", {"accuracy": [(1, 0.5)]})
    scalar_file(tmp_path / "other/b/events.out.tfevents.1700000000.host", {"accuracy": [(1, 0.7)]})

    done = mlbench("other")

    assert done.code == 0, done.err
    assert [line.split()[0] for line in done.out.splitlines()[1:3]] == ["b", "a"]


def test_plot_takes_the_runs_that_have_the_metric_before_it_counts(mlbench: Mlbench, tmp_path: Path) -> None:
    scalar_file(tmp_path / "other/a/events.out.tfevents.1500000000.host", {"rare": [(1, 0.5), (2, 0.4)]})
    mlbench("ingest", "other")

    done = mlbench("plot", "-m", "rare", "--limit", "1", "--width", "60")

    assert done.code == 0, done.err
    assert done.out.startswith("rare")
    assert "runs are drawn" not in done.err


def test_a_word_is_no_bound_for_a_parameter_that_is_always_a_number(mlbench: Mlbench) -> None:
    done = mlbench("query", "lr < abc")

    assert done.code == 2
    assert done.err.splitlines()[0] == "mlbench: column 6: '<' needs a number, got 'abc'. Try: params.lr < 0.3"


def test_a_run_without_any_time_has_no_duration(mlbench: Mlbench, tmp_path: Path) -> None:
    (tmp_path / "other/x").mkdir(parents=True)
    (tmp_path / "other/x/args.json").write_text('{"lr": 0.1}')
    mlbench("ingest", "other")

    rows = objects(mlbench("query", "--in", "other", "-c", "duration", "--format", "json"))

    assert [row["duration"] for row in rows] == [None]


def test_a_word_is_a_bound_for_a_parameter_of_words(mlbench: Mlbench) -> None:
    rows = objects(mlbench("query", "optimizer < b", "-c", "optimizer", "--format", "json"))

    assert {row["optimizer"] for row in rows} == {"adam"}


def test_plot_draws_histograms_over_their_steps(mlbench: Mlbench) -> None:
    done = mlbench(
        "plot",
        "--kind",
        "hist",
        "--all-steps",
        "-m",
        "weights/hidden/kernel",
        "long",
        "--width",
        "80",
        "--height",
        "16",
    )

    assert done.code == 0, done.err
    lines = done.out.splitlines()
    assert lines[0] == "weights/hidden/kernel"
    assert lines[1].count(" steps") == 2
    assert any(" from w128-seed" in line and "at step 240" in line for line in lines)
    assert "▒" in done.out


def test_plot_says_how_far_histograms_are_apart_and_refuses_smoothing_that_means_nothing(mlbench: Mlbench) -> None:
    apart = mlbench("plot", "--kind", "hist", "-m", "weights/hidden/kernel", "long", "--width", "80", "--height", "10")
    assert "Wasserstein distance to w128-seed" in apart.out

    wrong = mlbench("plot", "-m", "val/loss", "--smooth", "2")
    assert wrong.code == 2
    assert "smoothing 2 is not" in wrong.err


def test_plot_trims_outliers_and_says_so(mlbench: Mlbench) -> None:
    done = mlbench("plot", "-m", "val/loss", "--trim", "--smooth", "5", "--smooth-with", "mean", "--width", "120")

    assert "outliers beyond the y axis" in done.out
    assert "mean of 5 points" in done.out


@pytest.mark.parametrize("condition", ["< now", "> '99 years ago'", "> 2020-01-01"])
def test_a_moment_is_told_by_the_clock_of_the_catalog(mlbench: Mlbench, condition: str) -> None:
    """Of a real catalog: the tables of the clock and of words are made for the statement that names them."""
    done = mlbench("query", f"started {condition}", "--limit", "1", "--format", "jsonl")

    assert done.code == 0, done.err
    assert len(done.out.splitlines()) == 1
