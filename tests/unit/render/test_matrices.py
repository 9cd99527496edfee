from collections.abc import Sequence

import numpy as np

from mlbench.queries.matrix import MatrixAnswer
from mlbench.render.ansi import Depth
from mlbench.render.cells import line_cells, plain
from mlbench.render.matrices import MatrixOptions, draw_matrices
from tests.golden.check import check_golden
from tests.unit.render.samples import head

NAN = float("nan")
DEPTHS: tuple[Depth, ...] = ("none", "truecolor")


def answer(rows: Sequence[Sequence[float]], labels: Sequence[str], run: str = "a") -> MatrixAnswer:
    return MatrixAnswer(head(run), "confusion", tuple(labels), tuple(tuple(row) for row in rows))


BEFORE = answer([[10, 1, 0], [2, 8, 0], [3, 0, 9]], ["cat", "dog", "horse"])
AFTER = answer([[11, 0, 0], [4, 6, 0], [0, 0, 12]], ["cat", "dog", "horse"], "b")


def test_matrices_stand_side_by_side_with_difference_and_recall() -> None:
    lines = draw_matrices([BEFORE, AFTER], ["before", "after"], MatrixOptions(width=90))

    check_golden("matrices.txt", str(plain(lines)) + "\n")


def test_on_narrow_screens_they_stand_below_each_other() -> None:
    lines = draw_matrices([BEFORE, AFTER], ["before", "after"], MatrixOptions(width=40))

    titles = [str(plain((line,))) for line in lines if str(plain((line,))).startswith(("before", "after"))]
    assert titles == ["before   n=33   accuracy 0.818", "after   n=33   accuracy 0.879", "after − before"]
    assert max(line_cells(line) for line in lines) <= 40


def test_classes_of_other_sizes_are_compared_by_shares() -> None:
    larger = answer([[20, 0, 0], [5, 15, 0], [0, 0, 7]], ["cat", "dog", "horse"], "b")

    text = plain(draw_matrices([BEFORE, larger], ["before", "after"], MatrixOptions(width=90)))

    assert "after − before, points of each actual class" in text
    assert "+9.1" in text  # 20 of 20 cats in place of 10 of 11


def test_a_difference_has_the_colour_of_its_sign() -> None:
    lines = draw_matrices([BEFORE, AFTER], ["before", "after"], MatrixOptions(width=90, depth="truecolor"))

    cells = {str(cell.text).strip(): cell.back for line in lines for cell in line if cell.back}
    assert cells["+3"] == "#ff875f"
    assert cells["-3"] == "#5fafff"
    assert cells["12"] == "#5fafff"


def test_classes_that_one_matrix_lacks_are_blank() -> None:
    fewer = answer([[4, 1], [0, 5]], ["cat", "dog"], "b")

    text = str(plain(draw_matrices([BEFORE, fewer], ["before", "after"], MatrixOptions(width=100))))

    row = next(line for line in text.split("\n") if line.startswith("horse") and "0.75" in line)
    assert row.split() == ["horse", "12", "0.75"]


def test_means_are_over_the_classes_that_all_have_examples_of() -> None:
    fewer = answer([[4, 1, 0], [0, 5, 0], [0, 0, 0]], ["cat", "dog", "horse"], "b")

    rows = str(plain(draw_matrices([BEFORE, fewer], ["before", "after"], MatrixOptions(width=100)))).split("\n")

    assert next(row for row in rows if row.startswith("horse") and "12" in row).split() == ["horse", "12", "0.75"]
    assert rows[-1].split() == ["mean", "of", "the", "2", "in", "all", "21", "0.855", "0.9", "+0.0455"]


def test_of_many_classes_those_with_most_mistakes_are_shown() -> None:
    table = np.eye(100) * 50
    table[7, 93] = 40
    labels = [f"class{n}" for n in range(100)]
    matrix = answer(table.tolist(), labels)

    lines = draw_matrices([matrix, matrix], ["a", "b"], MatrixOptions(width=50))

    text = plain(lines)
    assert "of 100 classes, those with most mistakes" in text
    assert "\nclass7 " in text
    assert "\nclass93 " in text
    assert len(lines) < 90


def test_odd_matrices_are_drawn() -> None:
    odd = answer([[NAN, NAN], [NAN, NAN]], ["\x1b[31mred", "[bold]b"], "b")
    empty = answer([[0, 0], [0, 0]], ["x", "y"])

    for matrices in ([odd], [empty], [odd, empty], [empty, odd]):
        for depth in DEPTHS:
            options = MatrixOptions(width=60, depth=depth)
            assert "\x1b" not in plain(draw_matrices(matrices, ["a", "b"][: len(matrices)], options))
    assert draw_matrices([], [], MatrixOptions()) == ()
