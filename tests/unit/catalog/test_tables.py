"""Rows as Arrow tables, by the schema that DuckDB has too."""

import duckdb
import pyarrow as pa

from mlbench.catalog.batch import Batch, Rows
from mlbench.catalog.connection import create_tables, insert
from mlbench.catalog.tables import arrow_schema, columns_as_table, packed, rows_as_table, stream_of


def test_the_types_are_those_of_the_catalog() -> None:
    connection = duckdb.connect()
    create_tables(connection)
    tables = [row[0] for row in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()]

    made = [table for table in tables if table != "wide_run"]  # that one is made by the pivot
    schemas = {table: connection.sql(f"SELECT * FROM {table} LIMIT 0").to_arrow_table().schema for table in made}

    assert len(made) > 20
    for table, schema in schemas.items():
        assert arrow_schema(table).names == schema.names
        assert [str(one.type).replace("child", "item") for one in arrow_schema(table)] == [
            str(one.type).replace("child", "item").replace("l: ", "item: ").replace("itemitem", "item")
            for one in schema
        ]


def test_a_column_that_no_row_names_is_left_out_and_one_that_some_name_is_null_in_the_others() -> None:
    table = rows_as_table("environment", [{"run_id": "a"}, {"run_id": "b", "value": "1"}])

    assert table.to_pydict() == {"run_id": ["a", "b"], "value": [None, "1"]}
    assert table.schema.types == [pa.string(), pa.string()]


def test_columns_are_told_apart_by_their_names_whatever_their_order_in_a_row() -> None:
    rows = [{"run_id": "a", "value": "1"}, {"value": "2", "run_id": "b"}]

    expected = {"run_id": ["a", "b"], "value": ["1", "2"]}
    assert rows_as_table("environment", rows).to_pydict() == expected
    assert rows_as_table("environment", [{**row, "odd": 1} for row in rows]).to_pydict() == expected
    assert rows_as_table("environment", rows[:1]).to_pydict() == {"run_id": ["a"], "value": ["1"]}
    assert rows_as_table("environment", []).num_rows == 0


def test_rows_of_all_kinds_are_one_table() -> None:
    rows = Rows()
    rows.add("environment", run_id="a", key="k")
    rows.add_columns("environment", {"run_id": ["b", "c"], "value": ["1", "2"]})
    batch = Batch(rows=rows)
    batch.add_tables({"environment": rows_as_table("environment", [{"run_id": "d"}])})

    assert batch.table_names() == ["environment"]
    found = batch.stream("environment").read_all().select(["run_id", "key", "value"])

    assert found.sort_by("run_id").to_pylist() == [
        {"run_id": "a", "key": "k", "value": None}, {"run_id": "b", "key": None, "value": "1"},
        {"run_id": "c", "key": None, "value": "2"}, {"run_id": "d", "key": None, "value": None},
    ]  # fmt: skip


def test_rows_that_are_packed_come_back_and_a_text_of_many_rows_is_told_once() -> None:
    path = "/logs/" + "long/" * 40 + "args.json"
    plain = columns_as_table("param", {"key": [f"k{n}" for n in range(1000)], "num": [n / 7 for n in range(1000)]})
    named = columns_as_table(
        "param", {**plain.to_pydict(), "run_id": ["a"] * 400 + ["b"] * 600, "source": [path] * 1000}
    )

    one, other = packed(plain), packed(named)

    assert one.table().equals(plain)
    assert stream_of([other, one]).read_all().to_pylist() == [
        *named.to_pylist(), *({**row, "run_id": None, "source": None} for row in plain.to_pylist())
    ]  # fmt: skip
    assert (one.num_rows, other.num_rows) == (1000, 1000)
    assert len(other.content) - len(one.content) < 2000


def test_a_text_that_is_told_once_reaches_the_catalog_as_it_is() -> None:
    connection = duckdb.connect()
    create_tables(connection)
    tables = [rows_as_table("param", [{"run_id": run, "source": "é\0"}, {"key": "k"}]) for run in ("a", "b")]

    insert(connection, "param", stream_of([packed(tables[0]), tables[1], packed(tables[1].select(["key"]))]))

    found = connection.execute("SELECT run_id, source, key FROM param ORDER BY ALL").fetchall()
    assert found == [
        ("a", "é\0", None),
        ("b", "é\0", None),
        (None, None, "k"),
        (None, None, "k"),
        (None, None, "k"),
        (None, None, None),
    ]
