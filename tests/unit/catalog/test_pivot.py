"""The wide pivot says what the rows say, whatever the keys and values are, and follows every change of the runs."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlbench.catalog import pivot
from mlbench.catalog.connection import create_tables, create_work_file

Value = tuple[str, float | None, str]
"""Type, number and text of a parameter."""


_NUMBER = "(SELECT run_no FROM run_row WHERE run_id = ?)"


class Catalog:
    """The writer's tables, filled by hand."""

    def __init__(self) -> None:
        self.connection = duckdb.connect(":memory:")
        create_tables(self.connection)

    def put(self, run_id: str, params: dict[str, Value], metrics: dict[str, float] | None = None) -> None:
        """As a commit does it: the rows of the run are replaced."""
        self.drop(run_id)
        self.rows("INSERT INTO run (run_id, run_key) VALUES (?, ?)", [run_id, f"/runs/{run_id}"])
        self.rows(pivot.NUMBER_RUNS)
        for key, (kind, number, text) in params.items():
            self.rows(
                "INSERT INTO param (run_no, run_id, key, raw, type, num, txt, is_effective) "
                f"VALUES ({_NUMBER}, ?, ?, ?, ?, ?, ?, true)",
                [run_id, run_id, key, f"raw {text}", kind, number, text],
            )
        for place, (metric, last) in enumerate((metrics or {}).items()):
            self.add_series(run_id, metric, last, series_id=100 * len(run_id) + place)

    def add_series(self, run_id: str, metric: str, last: float, *, series_id: int, n: int = 1) -> None:
        self.rows(
            "INSERT INTO series (run_no, series_id, run_id, metric, n, n_raw, last_value, min_value, max_value) "
            f"VALUES ({_NUMBER}, ?, ?, ?, ?, ?, ?, ?, ?)",
            [run_id, series_id, run_id, metric, n, n, last, last - 1, last + 1],
        )

    def drop(self, run_id: str) -> None:
        for table in ("run", "param", "series"):
            self.rows(f"DELETE FROM {table} WHERE run_id = ?", [run_id])

    def rows(self, sql: str, parameters: list[object] | None = None) -> list[tuple[Any, ...]]:
        return self.connection.execute(sql, parameters).fetchall()

    def refresh(self) -> bool:
        return pivot.refresh(self.connection)

    def counted(self, kind: str = "param") -> dict[str, int]:
        """Names with the number of runs that have them."""
        return dict(self.rows("SELECT name, n_runs FROM wide_key WHERE kind = ? ORDER BY 1", [kind]))

    def wide(self, kind: str, key: str) -> dict[str, tuple[Any, ...]]:
        """The cells of a key by run id, read from its columns."""
        ((page, slot),) = self.rows("SELECT page, slot FROM wide_key WHERE kind = ? AND name = ?", [kind, key])
        columns = [f"w.{name}{slot}" for name, _type in pivot.KINDS[kind].columns if name != "r"]
        table = pivot.page_name(kind, page)
        rows = self.rows(
            f"SELECT r.run_id, {', '.join(columns)} FROM {table} w JOIN run r ON r.run_no = w.run_no "
            f"WHERE {columns[0]} IS NOT NULL"
        )
        return {run_id: tuple(cells) for run_id, *cells in rows}


def test_what_the_source_says_is_kept_where_it_is_another_text(catalog: Catalog) -> None:
    catalog.put("a", {"lr": real(0.001)})
    catalog.refresh()

    ((slot,),) = catalog.rows("SELECT slot FROM wide_key WHERE name = 'lr'")
    assert catalog.rows(f"SELECT s{slot}, r{slot} FROM wide_run") == [("0.001", "raw 0.001")]


@pytest.fixture
def catalog() -> Iterator[Catalog]:
    made = Catalog()
    yield made
    made.connection.close()


def text(value: str) -> Value:
    return "str", None, value


def real(value: float) -> Value:
    return "float", value, repr(value)


def test_a_parameter_is_a_column_with_type_number_and_text(catalog: Catalog) -> None:
    catalog.put("a", {"lr": real(0.1), "optimizer": text("adam")})
    catalog.put("b", {"lr": real(0.2)})

    assert catalog.refresh()

    assert catalog.wide("param", "lr") == {"a": ("float", 0.1, "0.1"), "b": ("float", 0.2, "0.2")}
    assert catalog.wide("param", "optimizer") == {"a": ("str", None, "adam")}
    assert catalog.counted() == {"lr": 2, "optimizer": 1}


def test_types_may_be_mixed_in_one_key(catalog: Catalog) -> None:
    catalog.put("a", {"x": ("int", 3.0, "3")})
    catalog.put("b", {"x": text("1e-3")})
    catalog.put("c", {"x": ("bool", 1.0, "true")})
    catalog.put("d", {"x": ("list", None, "[1, 2]")})
    catalog.put("e", {"x": ("null", None, "null")})
    catalog.put("f", {})

    catalog.refresh()

    assert catalog.wide("param", "x") == {
        "a": ("int", 3.0, "3"),
        "b": ("str", 0.001, "1e-3"),  # a text that is a number compares as one
        "c": ("bool", None, "true"),  # a truth does not
        "d": ("list", None, "[1, 2]"),
        "e": ("null", None, "raw null"),  # a null is there, as its source spells it; a missing key is not
    }


def test_nan_and_infinity_are_kept(catalog: Catalog) -> None:
    catalog.put("a", {"x": ("float", math.nan, "nan")}, {"loss": math.inf})

    catalog.refresh()

    assert math.isnan(catalog.wide("param", "x")["a"][1])
    assert catalog.wide("metric", "loss") == {"a": (100, math.inf, math.inf, math.inf)}


def test_the_series_with_most_points_stands_for_a_metric(catalog: Catalog) -> None:
    catalog.put("a", {})
    catalog.add_series("a", "loss", 0.5, series_id=1, n=10)
    catalog.add_series("a", "loss", 0.4, series_id=2, n=11)

    catalog.refresh()

    assert catalog.wide("metric", "loss") == {"a": (2, 0.4, -0.6, 1.4)}
    assert catalog.counted("metric") == {"loss": 1}


def test_a_key_that_is_added_changed_or_taken_away_is_so_in_the_columns(catalog: Catalog) -> None:
    catalog.put("a", {"lr": real(0.1), "old": text("x")})
    catalog.put("b", {"lr": real(0.2)})
    catalog.refresh()

    catalog.put("a", {"lr": real(0.3), "new": text("y")})
    catalog.refresh()

    assert catalog.wide("param", "lr") == {"a": ("float", 0.3, "0.3"), "b": ("float", 0.2, "0.2")}
    assert catalog.wide("param", "new") == {"a": ("str", None, "y")}
    assert catalog.counted() == {"lr": 2, "new": 1}  # no run has 'old' any more, so no filter may name it


def test_a_run_that_is_gone_is_gone_from_the_columns(catalog: Catalog) -> None:
    catalog.put("a", {"lr": real(0.1)})
    catalog.put("b", {"lr": real(0.2)})
    catalog.refresh()

    catalog.drop("a")
    catalog.refresh()

    assert catalog.rows("SELECT count(*) FROM wide_run") == [(1,)]
    assert catalog.rows("SELECT count(*) FROM run_text") == [(1,)]
    assert catalog.counted() == {"lr": 1}


def test_the_column_of_a_key_that_no_run_has_is_used_again_and_empty(catalog: Catalog) -> None:
    catalog.put("a", {"old": text("x")})
    catalog.refresh()
    (old,) = catalog.rows("SELECT page, slot FROM wide_key")

    catalog.put("a", {"lr": real(0.1)})
    catalog.put("b", {})
    catalog.refresh()
    catalog.put("b", {"other": real(0.5), "lr": real(0.2)})
    catalog.refresh()

    assert catalog.rows("SELECT page, slot FROM wide_key WHERE name = 'lr'") == [old]
    assert catalog.wide("param", "lr") == {"a": ("float", 0.1, "0.1"), "b": ("float", 0.2, "0.2")}


def test_nothing_is_done_where_nothing_changed(catalog: Catalog) -> None:
    catalog.put("a", {"lr": real(0.1)})
    catalog.refresh()

    assert not catalog.refresh()


def test_a_run_keeps_its_number_when_it_is_read_again(catalog: Catalog) -> None:
    catalog.put("a", {})
    catalog.put("b", {})
    catalog.refresh()

    catalog.put("a", {"lr": real(0.1)})
    catalog.put("c", {})
    catalog.refresh()

    assert catalog.rows("SELECT run_id, run_no FROM run ORDER BY 2") == [("a", 1), ("b", 2), ("c", 3)]


def test_a_run_knows_how_many_metrics_points_and_notes_it_has(catalog: Catalog) -> None:
    catalog.put("a", {}, {"loss": 0.1, "acc": 0.9})
    catalog.put("b", {})
    catalog.rows("INSERT INTO imported_note VALUES ('b', 'Good'), ('b', 'Better')")

    catalog.refresh()

    totals = catalog.rows("SELECT run_id, n_series, n_points, n_notes FROM run ORDER BY 1")
    assert totals == [("a", 2, 2, 0), ("b", 0, 0, 2)]


def test_the_first_page_says_what_the_run_says(catalog: Catalog) -> None:
    catalog.put("a", {"lr": real(0.1)})
    catalog.put("b", {})
    catalog.refresh()

    columns = "run_id, run_key, run_no, status, n_series, is_missing"

    assert catalog.rows(f"SELECT {columns} FROM wide_run ORDER BY 1") == catalog.rows(
        f"SELECT {columns} FROM run ORDER BY 1"
    )


def test_a_run_that_went_missing_is_so_in_the_first_page(catalog: Catalog) -> None:
    catalog.put("a", {"lr": real(0.1)})
    catalog.put("b", {})
    catalog.refresh()

    catalog.rows("UPDATE run SET is_missing = true WHERE run_id = 'a'")

    assert catalog.refresh()
    assert catalog.rows("SELECT run_id, is_missing, n0 FROM wide_run ORDER BY 1") == [
        ("a", True, 0.1),
        ("b", None, None),
    ]
    assert not catalog.refresh()


def test_what_a_word_finds_is_in_lower_case_and_apart(catalog: Catalog) -> None:
    catalog.put("a", {"opt": text("Adam"), "net": text("ResNet")})
    catalog.rows("INSERT INTO imported_tag VALUES ('a', 'Team', 'Blue')")

    catalog.refresh()

    ((_number, said),) = catalog.rows("SELECT run_no, txt FROM run_text")
    assert sorted(said.split("\x1f")) == ["adam", "blue", "resnet", "team"]


def test_thousands_of_keys_take_several_pages(catalog: Catalog) -> None:
    catalog.put("a", {f"k{i:04}": real(float(i)) for i in range(1000)})
    catalog.put("b", {"k0999": real(1.0)})

    catalog.refresh()

    assert len(catalog.counted()) == 1000
    assert catalog.rows("SELECT count(DISTINCT page) FROM wide_key") == [(16,)]
    assert catalog.wide("param", "k0500") == {"a": ("float", 500.0, "500.0")}
    assert catalog.wide("param", "k0999") == {"a": ("float", 999.0, "999.0"), "b": ("float", 1.0, "1.0")}
    ((page,),) = catalog.rows("SELECT page FROM wide_key WHERE name = 'k0500'")
    assert catalog.rows(f"SELECT count(*) FROM wide_param_{page}") == [(1,)]  # 'b' has no row where it has no key


def columns_of(catalog: Catalog, table: str) -> int:
    ((n,),) = catalog.rows("SELECT count(*) FROM duckdb_columns() WHERE table_name = ?", [table])
    return int(n)


def test_a_table_has_the_columns_that_its_keys_need_and_more_when_they_need_more(catalog: Catalog) -> None:
    own = columns_of(catalog, pivot.FRONT)
    catalog.put("a", {"k00": real(0.0)})
    catalog.refresh()
    n_first = columns_of(catalog, pivot.FRONT)
    catalog.put("b", {f"k{i:02}": real(float(i)) for i in range(70)}, {"loss": 0.5})
    catalog.refresh()
    n_second, n_page = columns_of(catalog, pivot.FRONT), columns_of(catalog, "wide_param_1")
    catalog.put("c", {f"j{i:02}": real(float(i)) for i in range(10)})

    catalog.refresh()

    assert (n_first - own, n_second - own) == (8 * 4, (64 + 8) * 4)
    assert (n_page, columns_of(catalog, "wide_param_1")) == (1 + 8 * 4, 1 + 16 * 4)
    assert catalog.wide("param", "k00") == {"a": ("float", 0.0, "0.0"), "b": ("float", 0.0, "0.0")}
    assert catalog.wide("param", "k69") == {"b": ("float", 69.0, "69.0")}
    assert catalog.wide("param", "j09") == {"c": ("float", 9.0, "9.0")}
    assert catalog.wide("metric", "loss")["b"][1] == 0.5


@pytest.mark.parametrize("gone", [["a"], ["a", "b"]], ids=["some", "all"])
def test_a_table_takes_more_columns_while_runs_go(tmp_path: Path, gone: list[str]) -> None:
    catalog = Catalog()
    catalog.connection = create_work_file(str(tmp_path / "work.duckdb"))
    for run_id in ("a", "b"):
        catalog.put(run_id, {"k": real(1.0)})
    catalog.refresh()
    catalog.rows("CHECKPOINT")
    for run_id in gone:
        catalog.drop(run_id)
    catalog.put("c", {f"k{i}": real(float(i)) for i in range(20)})

    catalog.refresh()
    catalog.connection.close()

    again = duckdb.connect(str(tmp_path / "work.duckdb"))
    ((slot,),) = again.execute("SELECT slot FROM wide_key WHERE name = 'k19'").fetchall()
    cells = again.execute(f"SELECT run_id, n{slot} FROM wide_run ORDER BY 1").fetchall()
    assert cells == [(run_id, None) for run_id in ("a", "b") if run_id not in gone] + [("c", 19.0)]


def test_a_table_that_has_all_columns_already_takes_more_keys(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pivot, "STEP", pivot.SLOTS)
    catalog.put("a", {"k": real(1.0)}, {"loss": 0.5})
    catalog.refresh()
    n_columns = columns_of(catalog, pivot.FRONT)
    monkeypatch.setattr(pivot, "STEP", 8)
    catalog.put("b", {f"k{i}": real(float(i)) for i in range(20)}, {"loss": 0.5})

    catalog.refresh()

    assert columns_of(catalog, pivot.FRONT) == n_columns
    assert catalog.wide("param", "k19") == {"b": ("float", 19.0, "19.0")}


def test_keys_beyond_the_last_page_are_counted_and_have_no_column(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pivot, "MAX_PAGES", 1)
    monkeypatch.setattr(pivot, "SLOTS", 2)
    catalog.put("a", {"lr": real(0.1), "seed": real(1.0), "id_a": text("a")})
    catalog.put("b", {"lr": real(0.2), "seed": real(2.0), "id_b": text("b")})
    catalog.refresh()
    catalog.put("b", {"lr": real(0.2)})
    catalog.refresh()

    placed = catalog.rows("SELECT name, page, slot, n_runs FROM wide_key ORDER BY 1")
    assert placed == [("id_a", None, None, 1), ("lr", 0, 0, 2), ("seed", 0, 1, 1)]  # those that most runs have


@pytest.mark.parametrize(
    "key",
    ["", "a b", 'say "hi"', "it's", "x; DROP TABLE run", "--", "t0", "run_no", "\x00", "\x1b[31m", "ключ", "%s", "?"],
)
def test_no_key_is_ever_part_of_sql(catalog: Catalog, key: str) -> None:
    catalog.put("a", {key: text("v")}, {key: 0.5})

    catalog.refresh()

    assert catalog.wide("param", key) == {"a": ("str", None, "v")}
    assert catalog.wide("metric", key)["a"][1] == 0.5
    assert catalog.rows("SELECT count(*) FROM run") == [(1,)]


def test_a_change_that_fails_leaves_all_as_it_was(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    catalog.put("a", {"lr": real(0.1)})
    catalog.refresh()
    catalog.put("b", {"lr": real(0.2)})
    monkeypatch.setattr(pivot, "_TEXT", "INSERT INTO no_such_table VALUES (1)")

    with pytest.raises(duckdb.Error):
        catalog.refresh()
    monkeypatch.undo()

    assert catalog.counted() == {"lr": 1}
    assert catalog.refresh()
    assert catalog.counted() == {"lr": 2}


_VALUES = st.one_of(
    st.floats(allow_nan=False).map(real),
    st.integers(-(2**60), 2**60).map(lambda value: ("int", float(value), str(value))),
    st.booleans().map(lambda value: ("bool", float(value), str(value).lower())),
    st.text(max_size=5).map(text),
    st.just(("null", None, "null")),
)
_RUNS = st.dictionaries(st.sampled_from("abcde"), st.dictionaries(st.text(max_size=2), _VALUES, max_size=6), max_size=5)
_ROWS = """SELECT p.run_id, p.key, p.type,
    CASE WHEN p.type IN ('int', 'float') THEN p.num WHEN p.type = 'str' THEN TRY_CAST(p.txt AS DOUBLE) END,
    CASE WHEN p.type = 'null' THEN p.raw ELSE p.txt END
FROM param p"""


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(_RUNS, min_size=1, max_size=4))
def test_after_any_changes_the_columns_equal_the_rows(history: list[dict[str, dict[str, Value]]]) -> None:
    catalog = Catalog()
    for step, runs in enumerate(history):
        for run_id, params in runs.items():
            catalog.put(run_id, params)
        for run_id in "abcde"[step : step + 1] if step % 2 else "":
            catalog.drop(run_id)
        catalog.refresh()

    rows: dict[str, dict[str, tuple[Any, ...]]] = {}
    for run_id, key, *cells in catalog.rows(_ROWS):
        rows.setdefault(key, {})[run_id] = tuple(cells)
    wide = {key: catalog.wide("param", key) for key in catalog.counted()}

    assert repr(sorted(wide)) == repr(sorted(rows))
    assert {key: sorted(map(repr, cells.items())) for key, cells in wide.items()} == {
        key: sorted(map(repr, cells.items())) for key, cells in rows.items()
    }
    assert catalog.counted() == {key: len(cells) for key, cells in rows.items()}
    catalog.connection.close()


def test_a_commit_that_runs_out_of_memory_is_told_as_that(catalog: Catalog) -> None:
    class Full:
        """A connection whose commits fail, which ends the transaction."""

        def execute(self, sql: str, *rest: Any) -> object:
            if sql != "COMMIT":
                return catalog.connection.execute(sql, *rest)
            catalog.connection.execute("ROLLBACK")
            raise duckdb.OutOfMemoryException("too much")

        def __getattr__(self, name: str) -> Any:
            return getattr(catalog.connection, name)

    catalog.put("a", {})

    with pytest.raises(duckdb.OutOfMemoryException):
        pivot.refresh(Full())  # type: ignore[arg-type]
    assert pivot.refresh(catalog.connection)


class Counting:
    """A connection that counts its commits."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self.connection, self.n_commits = connection, 0

    def execute(self, sql: str, *rest: Any) -> object:
        self.n_commits += sql == "COMMIT"
        return self.connection.execute(sql, *rest)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.connection, name)


def n_commits(catalog: Catalog, *, is_roomy: bool = False) -> int:
    """Of a call that lays out what is new."""
    counting = Counting(catalog.connection)
    assert pivot.refresh(counting, is_roomy=is_roomy)  # type: ignore[arg-type]
    return counting.n_commits


@pytest.mark.parametrize(("n_cells", "expected"), [(100, [1, 1, 3]), (4, [2, 1, 3]), (0, [2, 1, 5])])
def test_with_room_for_it_more_runs_are_laid_out_at_once_but_not_more_cells(
    n_cells: int, expected: list[int], catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, number in (("CHUNK_RUNS", 2), ("ROOMY_RUNS", 4), ("ROOMY_CELLS", n_cells)):
        monkeypatch.setattr(pivot, name, number)
    n_done = []
    for names in ("abc", "de", "fghijklm"):
        for name in names:
            catalog.put(name, {"lr": ("float", 0.1, "0.1")}, {"loss": 0.5} if name < "d" else {})
        n_done.append(n_commits(catalog, is_roomy=names != "de"))
    assert n_done == expected
    assert catalog.rows("SELECT count(*), count(DISTINCT run_no) FROM wide_run") == [(13, 13)]
    assert catalog.counted() == {"lr": 13}


def test_many_new_runs_are_laid_out_in_several_transactions(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pivot, "CHUNK_RUNS", 2)
    for name in "abcde":
        catalog.put(name, {f"key {name}": ("int", 1.0, "1")}, {"loss": 0.5})

    assert n_commits(catalog) == 3

    assert catalog.rows("SELECT count(*), count(DISTINCT run_no) FROM wide_run") == [(5, 5)]
    assert catalog.rows("SELECT count(*) FROM wide_key WHERE n_runs = 1") == [(5,)]
    assert not pivot.refresh(catalog.connection)


def test_what_a_failed_transaction_left_is_laid_out_later(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pivot, "CHUNK_RUNS", 2)
    true = pivot._Layout._lay_out
    calls: list[int] = []

    def failing(self: Any, run_nos: list[int]) -> None:
        calls.extend(run_nos)
        if len(calls) > 2:
            raise duckdb.IOException("no space")
        true(self, run_nos)

    for name in "abcde":
        catalog.put(name, {"lr": ("float", 0.1, "0.1")}, {"loss": 0.5})
    with monkeypatch.context() as patched:
        patched.setattr(pivot._Layout, "_lay_out", failing)
        with pytest.raises(duckdb.IOException):
            pivot.refresh(catalog.connection)

    assert pivot.refresh(catalog.connection)
    assert catalog.rows("SELECT count(*), min(run_no), max(run_no) FROM wide_run") == [(5, 1, 5)]
    assert catalog.rows("SELECT n_runs FROM wide_key WHERE name = 'lr'") == [(5,)]
