"""Undo and redo, views, the journal as files, forgetting, a team's home, settings, and checking what is kept."""

import json
import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from mlbench.catalog.reader import current_snapshot
from mlbench.journal import open_journal, replay
from mlbench.paths import find_home
from mlbench.queries.views import SavedView, view_of
from tests.events import scalar_file
from tests.unit.cli.conftest import SAMPLES, Done

Mlbench = Callable[..., Done]
SEED = "logs/sweep/adam-lr0.01-w64-seed0"


def objects(done: Done) -> list[dict[str, object]]:
    assert done.code == 0, done.err
    parsed: list[dict[str, object]] = json.loads(done.out)
    return parsed


def bytes_below(folder: Path) -> bytes:
    found = b""
    for place, _folders, names in os.walk(folder):
        found += b"".join(os.fsencode(name) + Path(place, name).read_bytes() for name in names)
    return found


# ---------------------------------------------------------------- undo, redo


def test_redo_says_again_what_undo_took_back(mlbench: Mlbench) -> None:
    mlbench("tag", SEED, "+good")
    mlbench("undo")

    assert mlbench("redo").err == "mlbench: said again: tag +good on 1 run\n"
    assert [row["run"] for row in objects(mlbench("query", "tag:good", "--format", "json"))] == [SEED]
    assert mlbench("redo").err == "mlbench: there is nothing to say again\n"


# ---------------------------------------------------------------- views


def test_a_view_chooses_what_is_drawn_and_exported(mlbench: Mlbench, tmp_path: Path) -> None:
    mlbench("views", "save", "sgd", "optimizer = sgd", "-s", "lr:desc", "-n", "2")
    asked = [str(row["run"]) for row in objects(mlbench("query", "--selection", "sgd", "--format", "json"))]

    drawn = objects(mlbench("plot", "-m", "train/loss", "--selection", "sgd", "--format", "json"))
    mlbench("export", "runs", "--selection", "sgd", "-o", str(tmp_path / "runs.json"))

    assert len(asked) == 2
    assert {str(point["run"]) for point in drawn} == set(asked)
    assert [row["name"] for row in json.loads((tmp_path / "runs.json").read_text())] == sorted(asked)


def test_a_view_is_saved_listed_used_narrowed_and_removed(mlbench: Mlbench) -> None:
    saved = mlbench("views", "save", "sgd", "optimizer = sgd", "-c", "params.lr", "-s", "lr:desc", "-n", "5")
    listed = objects(mlbench("views", "--format", "json"))
    all_of_it = objects(mlbench("query", "--selection", "sgd", "--format", "json"))
    narrowed = objects(mlbench("query", "lr < 1", "--selection", "sgd", "-n", "1", "--format", "json"))
    mlbench("views", "rm", "sgd")

    assert saved.code == 0
    assert listed == [
        {"view": "sgd", "filter": "optimizer = sgd", "columns": ["params.lr"], "sort": ["lr:desc"], "group_by": [],
         "limit": 5, "runs": []}
    ]  # fmt: skip
    assert len(all_of_it) == 5
    assert [list(row) for row in all_of_it] == [["run", "params.lr"]] * 5
    assert all_of_it[0]["params.lr"] == 30.0
    assert len(narrowed) == 1
    assert narrowed[0]["params.lr"] < 1  # type: ignore[operator]
    assert objects(mlbench("views", "--format", "json")) == []


def test_a_view_groups_and_selects_the_marked_runs(mlbench: Mlbench) -> None:
    mlbench("views", "save", "by data", "-g", "params.data")
    grouped = objects(mlbench("query", "--selection", "by data", "--format", "json"))
    listed = objects(mlbench("views", "--format", "json"))
    ids = [row["run.id"] for row in objects(mlbench("query", "-c", "run.id", "-n", "2", "--format", "json"))]

    assert listed[0]["group_by"] == ["params.data"]
    assert {row["params.data"] for row in grouped} == {"v1", "v2"}

    view = SavedView("data = v2", runs=tuple(map(str, ids)))
    assert view_of(view.to_text()) == view
    assert len(objects(mlbench("query", view.selected, "--format", "json"))) == 2
    assert view_of('{"runs": ["a\') or 1=1", 3], "group_by": "x"}') == SavedView()


def test_plots_have_the_groups_of_a_view_and_reports_say_that_they_have_none(mlbench: Mlbench, tmp_path: Path) -> None:
    mlbench("views", "save", "grouped", "-g", "params.data", "-g", "params.lr")
    mlbench("views", "save", "folded", "-g", "setting")

    drawn = mlbench("plot", "-m", "train/loss", "--selection", "grouped", "--width", "140", "--format", "table")
    folded = mlbench("plot", "-m", "train/loss", "--selection", "folded", "--format", "table")
    points = mlbench("plot", "-m", "train/loss", "--selection", "grouped", "--format", "csv")
    report = mlbench("report", "--selection", "grouped", "-o", str(tmp_path / "r.md"))

    assert "data=v1 lr=0.1 (n=" in drawn.out
    assert "are of one setting" in folded.err
    assert "1…3)" in folded.out
    assert "the view's groups are left out: they mean nothing with --format csv" in points.err
    assert "the view's groups are left out: a report has a row for each run" in report.err


def test_a_view_is_read_with_the_runs_at_once(mlbench: Mlbench) -> None:
    mlbench("views", "save", "grouped", "-g", "params.data")

    done = mlbench("--verbose", "query", "--selection", "grouped")

    assert done.err.count("answered in") == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("-g", "data", "--pareto", "train/loss"), "a front is of runs and not of groups"),
        (("--ignore", "data"), "--ignore says what makes no other setting"),
        (("--ignore", "data", "--selection", "plain"), "--ignore says what makes no other setting"),
        (("--ignore", "data", "--pareto", "train/loss", "--pareto", "duration"), "--ignore says what makes no other setting"),
    ],
)  # fmt: skip
def test_query_refuses_what_means_nothing_together(mlbench: Mlbench, words: tuple[str, ...], said: str) -> None:
    mlbench("views", "save", "plain", "lr > 0")

    done = mlbench("query", *words)

    assert (done.code, said in done.err) == (2, True)


def test_plain_for_once_is_for_once(mlbench: Mlbench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("MLBENCH_PLAIN", raising=False)
    monkeypatch.setenv("MLBENCH_IMAGES", "sixel")

    mlbench("open", "--plain", "--images", "kitty", str(tmp_path))

    assert "MLBENCH_PLAIN" not in os.environ
    assert os.environ["MLBENCH_IMAGES"] == "sixel"


def test_a_removed_view_comes_back_by_undo(mlbench: Mlbench) -> None:
    mlbench("views", "save", "all")
    mlbench("views", "rm", "all")

    assert mlbench("undo").err == "mlbench: taken back: view all removed\n"
    assert [row["view"] for row in objects(mlbench("views", "--format", "json"))] == ["all"]


def test_a_view_with_a_mistake_is_not_saved(mlbench: Mlbench) -> None:
    done = mlbench("views", "save", "bad", "metrics.val/los < 1")

    assert done.code == 2
    assert "Did you mean" in done.err
    assert objects(mlbench("views", "--format", "json")) == []


def test_a_mistyped_view_is_told_the_nearest(mlbench: Mlbench) -> None:
    mlbench("views", "save", "good")

    assert mlbench("query", "--selection", "goood").err == "mlbench: no view 'goood'. Did you mean 'good'?\n"
    assert mlbench("views", "rm", "x") == (2, "", "mlbench: no view 'x'. Try: mlbench views\n")
    assert mlbench("views", "save").code == 2
    assert mlbench("views", "rm", "good", "lr > 1").code == 2


# ---------------------------------------------------------------- the journal as files


def test_words_travel_to_another_home_once(mlbench: Mlbench, tmp_path: Path) -> None:
    mlbench("tag", SEED, "+good")
    mlbench("journal", "export", "words.jsonl")
    other = str(tmp_path / "other")
    mlbench("--home", other, "ingest", str(SAMPLES))

    first = mlbench("--home", other, "journal", "import", "words.jsonl")
    again = mlbench("--home", other, "journal", "import", "words.jsonl")

    assert first.err == "mlbench: 2 new of 2 entries; the others were here already\n"
    assert again.err == "mlbench: 0 new of 2 entries; the others were here already\n"
    rows = objects(mlbench("--home", other, "query", "tag:good", "--format", "json"))
    assert [row["run"] for row in rows] == [SEED]


def test_a_whole_journal_folder_is_imported(mlbench: Mlbench, home: Path, tmp_path: Path) -> None:
    mlbench("tag", SEED, "+good")

    done = mlbench("--home", str(tmp_path / "other"), "journal", "import", str(home / "journal"))

    assert done.err == "mlbench: 2 new of 2 entries; the others were here already\n"


def test_an_export_is_not_replaced_unless_told(mlbench: Mlbench, tmp_path: Path) -> None:
    (tmp_path / "words.jsonl").write_text("mine")

    done = mlbench("journal", "export", "words.jsonl")

    assert done.code == 3
    assert (tmp_path / "words.jsonl").read_text() == "mine"
    assert mlbench("journal", "export", "words.jsonl", "--force").code == 0
    assert mlbench("journal", "export", "-").out == (tmp_path / "words.jsonl").read_text()


def test_an_import_reads_standard_input(mlbench: Mlbench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import io

    mlbench("tag", SEED, "+good")
    exported = mlbench("journal", "export", "-").out
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(exported.encode())))

    done = mlbench("--home", str(tmp_path / "other"), "journal", "import", "-")

    assert done.err == "mlbench: 2 new of 2 entries; the others were here already\n"


def test_damaged_lines_of_an_import_are_told_and_the_others_taken(mlbench: Mlbench, tmp_path: Path) -> None:
    mlbench("journal", "export", "words.jsonl")
    (tmp_path / "words.jsonl").write_text((tmp_path / "words.jsonl").read_text() + "deadbeef {}\n")

    done = mlbench("--home", str(tmp_path / "other"), "journal", "import", "words.jsonl")

    assert done.code == 0
    assert "words.jsonl: line 2: 1 line had a bad checksum and was left out" in done.err
    assert "1 new of 2 entries" in done.err


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("import", "nowhere.jsonl"), 3, "nowhere.jsonl: cannot be read: No such file or directory"),
        (("import", "."), 3, "there are no journal files in this folder"),
        (("export",), 2, "give the FILE to export"),
        (("compact", "x"), 2, "journal compact takes no FILE"),
        (("exprot",), 2, "exprot"),
    ],
)
def test_mistakes_about_the_journal(mlbench: Mlbench, words: tuple[str, ...], code: int, told: str) -> None:
    done = mlbench("journal", *words)

    assert done.code == code
    assert told in done.err


def test_compacting_by_hand_and_by_itself(mlbench: Mlbench, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mlbench("tag", SEED, "+one")
    mlbench("journal", "compact")
    assert len(objects(mlbench("journal", "--format", "json"))) == 1
    monkeypatch.setattr("mlbench.journal.rewriting.GROWN_FILES", 2)

    mlbench("tag", SEED, "+two")
    done = mlbench("tag", SEED, "+three", "--verbose")

    assert "3 journal files merged into" in done.err
    assert [row["tags"] for row in objects(mlbench("tag", SEED, "+four", "--format", "json"))] == [
        ["four", "one", "three", "two"]
    ]


def test_a_note_edited_in_two_places_is_shown_twice(mlbench: Mlbench, home: Path) -> None:
    mlbench("note", SEED, "before")
    place = find_home(str(home))
    (before,) = next(iter(replay(place).notes.values()))
    ref = next(iter(replay(place).notes))
    from mlbench.journal import RunRef

    for author, text in (("ada@x", "ada's edit"), ("bob@y", "bob's edit")):
        with open_journal(place, author=author) as journal:
            journal.note(RunRef(ref), text, replaces=[before.note_id])

    rows = objects(mlbench("show", SEED, "--format", "json"))

    assert [(row["value"], row["detail"]) for row in rows if row["section"] == "notes"] == [
        ("ada's edit", "ada@x"),
        ("bob's edit", "bob@y"),
    ]
    assert mlbench("note", SEED, "--format", "json").out.count("edit") == 2


# ---------------------------------------------------------------- forget


@pytest.fixture
def gone(mlbench: Mlbench, tmp_path: Path) -> Path:
    """A second root with a run `a`, whose files are deleted after it was tagged, and a run `b`."""
    for name in ("a", "b"):
        scalar_file(tmp_path / "other" / name / "events.out.tfevents.1700000000.host", {"accuracy": [(1, 0.5)]})
    mlbench("ingest", "other")
    mlbench("tag", "other/a" if mlbench("show", "other/a").code == 0 else "a", "+odd")
    shutil.rmtree(tmp_path / "other" / "a")
    mlbench("ingest", "other")
    return tmp_path / "other"


def test_a_forgotten_run_leaves_no_trace_and_does_not_come_back(mlbench: Mlbench, home: Path, gone: Path) -> None:
    path = os.fsencode(gone / "a")
    assert path in bytes_below(home)

    done = mlbench("forget", "--where", "status = missing", "--yes", "--format", "json")

    removed = {(row["where"], row["what"]): row["n"] for row in objects(done)}
    assert removed["journal", "entries removed"] == 1
    assert removed["catalog", "run"] == 1
    assert removed["catalog", "series"] == 1
    assert "still there" not in done.err
    assert path not in bytes_below(home)
    mlbench("ingest", "other")
    assert len(objects(mlbench("query", "--in", "other", "-c", "name", "--format", "json"))) == 1
    mlbench("rebuild")
    assert path not in bytes_below(home)


def test_a_forgotten_run_whose_files_are_there_is_told_to_come_back_and_does_so_without_words(mlbench: Mlbench) -> None:
    mlbench("tag", SEED, "+odd")

    done = mlbench("forget", SEED, "--yes")

    assert f"the files of 1 run ({SEED}) are still there: the next ingest reads them again" in done.err
    assert mlbench("show", SEED).code == 2
    mlbench("ingest", str(SAMPLES))
    assert [row["tag"] for row in objects(mlbench("query", f"name = '{SEED}'", "-c", "tag", "--format", "json"))] == [
        []
    ]
    assert len(objects(mlbench("query", "-c", "name", "--format", "json"))) == 33


def test_a_directory_that_is_gone_with_all_its_runs_is_not_asked_for_again(mlbench: Mlbench, gone: Path) -> None:
    shutil.rmtree(gone)
    mlbench("ingest", str(SAMPLES))

    done = mlbench("forget", "--where", "status = missing", "--yes")

    assert f"{gone}: is gone and no run of it is known any more" in done.err
    assert "no such directory any more" not in mlbench("open").err


def test_forgetting_asks_first(mlbench: Mlbench, monkeypatch: pytest.MonkeyPatch) -> None:
    without_terminal = mlbench("forget", SEED)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("click.termui.visible_prompt_func", lambda _text="": "n")
    said_no = mlbench("forget", SEED)

    assert without_terminal.code == 2
    assert "this would forget 1 run" in without_terminal.err
    assert "--yes" in without_terminal.err
    assert said_no.code == 130
    assert mlbench("show", SEED).code == 0


def test_a_forgotten_person_is_in_no_file_of_the_home(
    mlbench: Mlbench, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mlbench.journal.appending._author", lambda: "grace@lab7")
    run = tmp_path / "other" / "a"
    scalar_file(run / "events.out.tfevents.1700000000.host", {"accuracy": [(1, 0.5)]})
    (run / "args.json").write_text('{"owner": "grace", "mail": "Grace grace@navy.mil", "grade": "graceful"}')
    mlbench("ingest", "other")
    mlbench("note", SEED, "ask grace")
    assert b"grace@lab7" in bytes_below(home)

    done = mlbench("forget", "--person", "grace", "--yes", "--format", "json")

    changed = {(row["where"], row["what"]): row["n"] for row in objects(done)}
    assert changed["catalog", "param.raw"] == 2
    assert changed["journal", "entries changed"] == 2
    left = bytes_below(home).lower()
    assert left.count(b"grace") == left.count(b"graceful") > 0
    rows = objects(mlbench("query", "--in", "other", "-c", "params.mail, params.grade", "--format", "json"))
    assert rows == [{"run": "a", "params.mail": "forgotten forgotten@navy.mil", "params.grade": "graceful"}]


def test_a_path_that_names_a_person_stays_and_is_told(mlbench: Mlbench, tmp_path: Path) -> None:
    scalar_file(tmp_path / "grace" / "a" / "events.out.tfevents.1700000000.host", {"accuracy": [(1, 0.5)]})
    mlbench("ingest", "grace")

    done = mlbench("forget", "--person", "grace", "--yes")

    assert f"{tmp_path}/grace/a: is named so on the disk and stays" in done.err
    assert mlbench("show", str(tmp_path / "grace" / "a")).code == 0


def test_a_home_without_a_catalog_forgets_too(mlbench: Mlbench, tmp_path: Path) -> None:
    done = mlbench("--home", str(tmp_path / "new"), "forget", "--person", "grace", "--yes")

    assert done.code == 0
    assert "nothing was found" in done.err
    assert not (tmp_path / "new" / "cache").exists()


def test_runs_and_a_person_are_not_forgotten_at_once(mlbench: Mlbench) -> None:
    assert mlbench("forget", SEED, "--person", "ada", "--yes").code == 2
    assert mlbench("forget", "--yes").code == 2
    assert mlbench("forget", "--person", "a", "--yes").code == 2


# ---------------------------------------------------------------- a team's home


def test_init_makes_a_home_that_is_found_from_below(
    mlbench: Mlbench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLBENCH_HOME")
    (tmp_path / "project" / "deep").mkdir(parents=True)

    done = mlbench("init", "project")

    assert done.code == 0
    home = tmp_path / "project" / ".mlbench"
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert (home / ".gitignore").read_text().splitlines()[-1] == "cache/"
    monkeypatch.chdir(tmp_path / "project" / "deep")
    assert find_home().journal == str(home / "journal")
    assert mlbench("init", str(tmp_path / "project")).err.startswith(f"mlbench: {home}: there already, as it was")


def test_init_for_a_group_makes_folders_that_the_group_writes(
    mlbench: Mlbench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import grp

    own = grp.getgrgid(os.getgid()).gr_name
    monkeypatch.delenv("MLBENCH_HOME")
    scalar_file(tmp_path / "logs" / "a" / "events.out.tfevents.1700000000.host", {"accuracy": [(1, 0.5)]})

    done = mlbench("init", "--group", own)
    mlbench("ingest", "logs")
    mlbench("tag", "a", "+x")

    assert done.err.startswith(f"mlbench: {tmp_path}/.mlbench: shared with the group {own}")
    for name in (".mlbench", ".mlbench/journal", ".mlbench/cache"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o2770, name
    files = [*(tmp_path / ".mlbench/journal").iterdir()]
    assert len(files) == 3
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o640}
    (own_cache,) = (tmp_path / ".mlbench/cache").iterdir()
    assert stat.S_IMODE(own_cache.stat().st_mode) & 0o077 == 0
    assert "others may write" not in mlbench("doctor").err


def test_init_says_what_is_wrong_and_which_home_counts(mlbench: Mlbench, tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    mlbench("init", "a")

    assert mlbench("init", "nowhere").code == 3
    assert mlbench("init", "--group", "no-such-group").code == 2
    assert f"{tmp_path}/a/.mlbench: not used from here any more" in mlbench("init", "a/b").err


# ---------------------------------------------------------------- settings


def test_settings_say_where_each_value_comes_from(
    mlbench: Mlbench, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "settings.toml"
    file.write_text('theme = "dark"\nsmoothing = 0.9\n[keys]\nruns.compare = "D"\n')
    monkeypatch.setenv("MLBENCH_CONFIG", str(file))
    monkeypatch.setenv("MLBENCH_SMOOTHING", "0.5")
    monkeypatch.setenv("NO_COLOR", "1")

    rows = objects(mlbench("settings", "--home", str(home), "--format", "json"))

    by_name = {row["setting"]: (row["value"], row["from"], row["place"]) for row in rows}
    assert by_name["theme"] == ("dark", "file", str(file))
    assert by_name["smoothing"] == (0.5, "environment", "MLBENCH_SMOOTHING")
    assert by_name["glyphs"] == ("auto", "default", None)
    assert by_name["keys.runs.compare"] == ("D", "file", str(file))
    assert by_name["home.journal"] == (str(home / "journal"), "option", "--home")
    assert by_name["colours"] == ("none", "environment", "NO_COLOR")


def test_a_setting_in_the_environment_that_will_not_do_is_told(
    mlbench: Mlbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLBENCH_GLYPHS", "brailel")

    done = mlbench("settings")

    assert done.code == 2
    assert done.err == (
        "mlbench: MLBENCH_GLYPHS: glyphs = 'brailel' will not do: it takes auto, braille, blocks, ascii. "
        "Did you mean 'braille'?\n"
    )


def test_a_setting_is_set_shown_alone_and_taken_out(
    mlbench: Mlbench, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "new" / "settings.toml"
    monkeypatch.setenv("MLBENCH_CONFIG", str(file))
    monkeypatch.setenv("MLBENCH_SMOOTHING", "0.5")
    settings = ("settings", "--home", str(home), "--format", "json")

    done = mlbench(*settings, "glyphs", "ascii")
    assert [(row["setting"], row["value"], row["place"]) for row in objects(done)] == [("glyphs", "ascii", str(file))]

    done = mlbench(*settings, "keys.runs.compare", "D")
    assert [(row["setting"], row["value"]) for row in objects(done)] == [("keys.runs.compare", "D")]
    assert file.read_text() == 'glyphs = "ascii"\n\n[keys]\nruns.compare = "D"\n'

    done = mlbench(*settings, "smoothing", "0.9")
    assert "MLBENCH_SMOOTHING in the environment is stronger" in done.err
    assert [row["value"] for row in objects(done)] == [0.5]

    done = mlbench(*settings, "glyphs", "--unset")
    assert [(row["value"], row["from"]) for row in objects(done)] == [("auto", "default")]

    assert mlbench(*settings, "theme", "drak").code == 2
    assert "Did you mean 'dark'?" in mlbench(*settings, "theme", "drak").err
    assert "there is no setting 'glyfs'" in mlbench(*settings, "glyfs").err


def test_keys_are_set_for_an_action_that_there_is(
    mlbench: Mlbench, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "settings.toml"
    file.touch()
    monkeypatch.setenv("MLBENCH_CONFIG", str(file))
    settings = ("settings", "--home", str(home), "--format", "json")

    bare = mlbench(*settings, "keys", "x")
    assert (bare.code, "Try: keys.runs.compare, or any other keys.ACTION" in bare.err) == (2, True)
    unknown = mlbench(*settings, "keys.runs.compar", "x")
    assert (unknown.code, "no action 'runs.compar'. Did you mean 'runs.compare'?" in unknown.err) == (2, True)
    assert file.read_text() == ""

    done = mlbench(*settings, "keys.runs.compare", "p")
    assert "p is now runs.compare, and no longer runs.plots" in done.err

    file.write_text('[keys]\nruns.compar = "x"\n')
    assert mlbench(*settings, "keys.runs.compar", "--unset").code == 0
    assert "compar" not in file.read_text()


def test_keys_are_listed_and_one_action_has_its_usual_ones(
    mlbench: Mlbench, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "settings.toml").write_text('theme = "dark"\n[keys]\nruns.compare = "D"\nruns.plots = "ctrl+g"\n')
    monkeypatch.setenv("MLBENCH_CONFIG", str(tmp_path / "settings.toml"))
    settings = ("settings", "--home", str(home), "--format", "json")

    listed = objects(mlbench(*settings, "keys"))
    assert [(row["setting"], row["value"]) for row in listed] == [
        ("keys.runs.compare", "D"),
        ("keys.runs.plots", "ctrl+g"),
    ]
    usual = objects(mlbench(*settings, "keys.runs.baseline"))
    assert [(row["setting"], row["value"], row["from"]) for row in usual] == [("keys.runs.baseline", "b", "default")]
    assert "no action 'nosuch'" in mlbench(*settings, "keys.nosuch").err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--unset",), "--unset takes one setting, and no value"),
        (("theme", "dark", "--unset"), "--unset takes one setting, and no value"),
        (("thema", "--unset"), "there is no setting 'thema'. Did you mean 'theme'?"),
        (("keys", "--unset"), "'keys' are set one action at a time"),
        (("keys.nosuch", "--unset"), "there is no action 'nosuch'"),
    ],
)
def test_what_cannot_be_unset_is_told(
    mlbench: Mlbench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], said: str
) -> None:
    (tmp_path / "settings.toml").write_text('theme = "dark"\n')
    monkeypatch.setenv("MLBENCH_CONFIG", str(tmp_path / "settings.toml"))

    done = mlbench("settings", *words)

    assert (done.code, said in done.err) == (2, True)
    assert (tmp_path / "settings.toml").read_text() == 'theme = "dark"\n'


# ---------------------------------------------------------------- doctor --fsck


def test_fsck_says_that_all_is_well(mlbench: Mlbench) -> None:
    mlbench("tag", SEED, "+x")

    done = mlbench("doctor", "--fsck", "--format", "json")

    rows = objects(done)
    assert {row["what"] for row in rows} == {"journal", "snapshot", "segment"}
    assert {row["state"] for row in rows} == {"ok"}
    assert done.err == f"mlbench: {len(rows)} checked, all is well\n"


def test_fsck_finds_a_flipped_byte_in_each_kind_of_file_and_says_what_to_do(mlbench: Mlbench, home: Path) -> None:
    mlbench("tag", SEED, "+x")
    segment = next((home / "cache").glob("*/points/*.parquet"))
    words = max((home / "journal").glob("*.jsonl"))
    for path in (segment, words):
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)

    done = mlbench("doctor", "--fsck", "--format", "json")

    wrong = {row["path"]: row for row in json.loads(done.out) if row["state"] != "ok"}
    assert done.code == 3
    assert set(wrong) == {str(segment), str(words)}
    assert wrong[str(segment)]["state"] == "damaged: its content is not what was written"
    assert str(wrong[str(segment)]["what to do"]).startswith("mlbench rebuild")
    assert wrong[str(words)]["state"] == "1 line had a bad checksum and was left out (line 1)"
    assert f"{segment}: damaged" in done.err


def test_fsck_finds_a_missing_segment_and_a_damaged_snapshot(mlbench: Mlbench, home: Path) -> None:
    next((home / "cache").glob("*/points/*.parquet")).unlink()
    missing = mlbench("doctor", "--fsck")
    snapshot = current_snapshot(find_home(str(home)))
    assert snapshot is not None
    Path(snapshot).write_bytes(b"no database at all" * 1000)

    damaged = mlbench("doctor", "--fsck")

    assert missing.code == 3
    assert "missing (No such file or directory)" in missing.err
    assert damaged.code == 3
    assert f"{snapshot}: cannot be read:" in damaged.err
    assert "mlbench rebuild" in damaged.err


def test_what_fsck_advises_helps(mlbench: Mlbench, home: Path) -> None:
    for segment in (home / "cache").glob("*/points/*.parquet"):
        segment.write_bytes(b"")
    assert mlbench("doctor", "--fsck").code == 3

    assert mlbench("rebuild").code == 0

    assert mlbench("doctor", "--fsck").code == 0


# ---------------------------------------------------------------- versions of the catalog


def set_version(path: str, version: int) -> None:
    with duckdb.connect(path) as connection:
        connection.execute("UPDATE meta SET value = ? WHERE key = 'schema_version'", [str(version)])


@pytest.mark.parametrize("words", [("query",), ("show", SEED), ("tag", SEED, "+x")])
def test_a_catalog_of_a_newer_mlbench_is_refused_in_one_line(
    mlbench: Mlbench, home: Path, words: tuple[str, ...]
) -> None:
    set_version(str(current_snapshot(find_home(str(home)))), 99)

    done = mlbench(*words)

    assert done.code == 3
    assert done.out == ""
    assert done.err.count("\n") == 1
    assert "written by a newer mlbench (catalog 99, this one reads" in done.err


def test_a_catalog_of_a_newer_mlbench_is_never_written(mlbench: Mlbench, home: Path) -> None:
    work = next((home / "cache").glob("*/work.duckdb"))
    set_version(str(work), 99)
    before = work.read_bytes()

    assert mlbench("ingest", str(SAMPLES)).code == 3
    assert work.read_bytes() == before


def test_an_older_catalog_is_never_misread_and_is_built_again_with_its_words(mlbench: Mlbench, home: Path) -> None:
    mlbench("tag", SEED, "+kept")
    set_version(str(current_snapshot(find_home(str(home)))), 1)
    set_version(str(next((home / "cache").glob("*/work.duckdb"))), 1)

    read = mlbench("query")
    ingested = mlbench("ingest", str(SAMPLES))

    assert read.code == 3
    assert "written by an older mlbench (catalog 1, this one reads" in read.err
    assert ingested.code == 0
    assert "written by an older mlbench, catalog 1" in ingested.err
    assert [row["run"] for row in objects(mlbench("query", "tag:kept", "--format", "json"))] == [SEED]
