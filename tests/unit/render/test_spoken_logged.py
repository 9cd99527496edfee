import math

from mlbench.queries.matrix import MatrixAnswer
from mlbench.render.cells import plain
from mlbench.render.spoken_logged import spoken_matrices
from tests.unit.render.samples import head

CAT, DOG = "cat", "dog"


def matrix(rows: list[list[float]], labels: tuple[str, ...] = (CAT, DOG)) -> MatrixAnswer:
    return MatrixAnswer(head("a"), "cm", labels, tuple(map(tuple, rows)))


def words(*matrices: MatrixAnswer, names: tuple[str, ...] = ("one", "two")) -> str:
    return " ".join(str(plain(spoken_matrices(matrices, names[: len(matrices)], 200))).split())


def test_a_matrix_is_told_by_accuracy_recalls_and_mistakes() -> None:
    assert words(matrix([[8, 2], [0, 10]])) == (
        "one 2 classes, 20 in all, accuracy 0.9 recall, least first: cat 0.8, dog 1 taken for another: cat for dog 2"
    )


def test_the_second_is_compared_with_the_first_in_the_classes_of_both() -> None:
    text = words(matrix([[8, 2], [0, 10]]), matrix([[5, 5, 0], [0, 10, 0], [0, 0, 3]], (CAT, DOG, "mule")))

    assert "recall against one: cat -0.3" in text
    assert "mule" in text
    assert "every recall is that of one" in words(matrix([[1, 0], [0, 1]]), matrix([[2, 0], [0, 2]]))


def test_what_is_not_finite_or_empty_counts_as_nothing_and_names_are_made_safe() -> None:
    odd = matrix([[math.nan, 0], [0, 0]], ("\x1b[31mred", "b"))

    assert words(odd) == "one 2 classes, 0 in all nothing is taken for another"
    assert "\x1b" not in words(matrix([[1, 2], [0, 0]], ("\x1b[31mred", "b")), names=("\x1b]0;x",))
