"""Promises of counts in the texts of problems."""

from mlbench.wire.counting import so_many


def test_one_is_told_as_one_and_many_have_their_thousands_parted() -> None:
    assert so_many(1, "row has", "rows have") == "1 row has"
    assert so_many(0, "row has", "rows have") == "0 rows have"
    assert so_many(1240, "row has", "rows have") == "1,240 rows have"
