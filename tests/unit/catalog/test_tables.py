"""Rows as Arrow tables, by the schema that DuckDB has too."""

import duckdb
import pyarrow as pa

from mlbench.catalog.batch import Batch, Rows
from mlbench.catalog.connection import create_tables
from mlbench.catalog.tables import arrow_schema, rows_as_table


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

    found = batch.all_tables()["environment"].select(["run_id", "key", "value"])

    assert found.sort_by("run_id").to_pylist() == [
        {"run_id": "a", "key": "k", "value": None}, {"run_id": "b", "key": None, "value": "1"},
        {"run_id": "c", "key": None, "value": "2"}, {"run_id": "d", "key": None, "value": None},
    ]  # fmt: skip
