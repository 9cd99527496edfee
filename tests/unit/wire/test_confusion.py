import pytest

from mlbench.model import JsonValue
from mlbench.wire.confusion import Matrix, parse_matrix

AB = Matrix(("a", "b"), ((1.0, 2.0), (3.0, 4.0)))


@pytest.mark.parametrize(
    "value",
    [
        {"labels": ["a", "b"], "matrix": [[1, 2], [3, 4]]},
        {"annotationSpecs": [{"displayName": "a"}, {"displayName": "b"}], "rows": [{"row": [1, 2]}, {"row": [3, 4]}]},
    ],
)
def test_labels_and_rows_are_a_matrix(value: JsonValue) -> None:
    assert parse_matrix(value) == AB


def test_pairs_are_counted_with_actual_classes_down() -> None:
    pairs: JsonValue = [
        {"actual": "a", "predicted": "b"},
        {"actual": "a", "predicted": "b"},
        {"actual": "b", "predicted": "b"},
    ]

    assert parse_matrix(pairs) == Matrix(("a", "b"), ((0.0, 2.0), (0.0, 1.0)))


def test_rows_alone_are_a_matrix() -> None:
    assert parse_matrix([[1.0, 2], [3, 4.0]]) == Matrix(("0", "1"), ((1.0, 2.0), (3.0, 4.0)))


def test_without_labels_the_classes_are_numbered() -> None:
    assert parse_matrix({"matrix": [[5]]}) == Matrix(("0",), ((5.0,),))


@pytest.mark.parametrize(
    "value",
    [
        None, 3, "text", {}, [], [1], {"matrix": []}, {"matrix": [[1, 2]]}, {"matrix": [[1], [2]]},
        {"labels": ["a"], "matrix": [["x"]]}, {"labels": ["a", "b"], "matrix": [[1, 2], [3]]},
        [{"actual": "a"}], [{"actual": str(i), "predicted": "x"} for i in range(1001)],
    ],
)  # fmt: skip
def test_anything_else_is_none(value: JsonValue) -> None:
    assert parse_matrix(value) is None


def test_the_table_of_wandb_is_a_matrix_whose_missing_cells_are_0() -> None:
    table: JsonValue = {
        "columns": ["Actual", "Predicted", "nPredictions"],
        "data": [["cat", "cat", 3], ["cat", "dog", 1], ["dog", "dog", 2]],
    }

    assert parse_matrix(table) == Matrix(("cat", "dog"), ((3.0, 1.0), (0.0, 2.0)))


def test_a_table_of_other_columns_is_no_matrix() -> None:
    assert parse_matrix({"columns": ["a", "b", "c"], "data": [["cat", "cat", 3]]}) is None
    assert parse_matrix({"columns": ["Actual", "Predicted", "nPredictions"], "data": [["cat", "cat", None]]}) is None
