import numpy as np
import pytest

from mlbench.render.cells import line_cells, plain
from mlbench.render.picture_cells import beside, fitted_cells, picture_lines, resized

RED, BLUE, WHITE, BLACK = (255, 0, 0), (0, 0, 255), (255, 255, 255), (0, 0, 0)


def test_a_picture_keeps_its_shape() -> None:
    assert fitted_cells(100, 100, 80, 20) == (40, 20)
    assert fitted_cells(400, 100, 80, 20) == (80, 10)
    assert fitted_cells(10, 10_000, 80, 20) == (1, 20)
    assert fitted_cells(10_000, 10, 80, 20) == (80, 1)


def test_four_places_of_two_colours_are_one_block_in_those_colours() -> None:
    picture = np.array([[RED, BLUE], [BLUE, BLUE]], dtype=np.uint8)

    ((cell,),) = picture_lines(picture, 1, 1)

    assert (str(cell.text), cell.role, cell.back) == ("▘", "#ff0000", "#0000ff")


def test_equal_places_are_a_ground_without_a_block() -> None:
    picture = np.full((4, 4, 3), 255, dtype=np.uint8)

    lines = picture_lines(picture, 4, 2)

    assert [[(str(cell.text), cell.back) for cell in line] for line in lines] == [[("    ", "#ffffff")]] * 2


def test_the_split_is_the_one_that_loses_least() -> None:
    dark, light = (10, 10, 10), (240, 240, 240)
    picture = np.array([[dark, light], [(12, 12, 12), (236, 236, 236)]], dtype=np.uint8)

    ((cell,),) = picture_lines(picture, 1, 1)

    assert str(cell.text) == "▌"
    assert cell.role == "#080808"
    assert cell.back == "#efefef"


def test_with_256_colours_only_fixed_ones_are_used() -> None:
    picture = np.array([[(90, 170, 250), (3, 3, 3)], [(3, 3, 3), (3, 3, 3)]], dtype=np.uint8)

    ((cell,),) = picture_lines(picture, 1, 1, depth="256")

    assert (cell.role, cell.back) == ("#5fafff", "#000000")


@pytest.mark.parametrize("depth", ["none", "16"])
def test_without_colours_shades_say_how_bright_it_is(depth: str) -> None:
    picture = np.array([[BLACK, WHITE, (128, 128, 128)]], dtype=np.uint8)

    assert plain(picture_lines(picture, 6, 1, depth=depth)) == "  ██▒▒"  # type: ignore[arg-type]
    assert plain(picture_lines(picture, 6, 1, depth=depth, is_light=True)) == "██  ▒▒"  # type: ignore[arg-type]
    assert plain(picture_lines(picture, 6, 1, depth=depth, glyphs="ascii")) == "  @@++"  # type: ignore[arg-type]


def test_grey_and_alpha_are_understood() -> None:
    grey = np.array([[255]], dtype=np.uint8)
    clear = np.array([[(255, 255, 255, 0)]], dtype=np.uint8)

    assert picture_lines(grey, 2, 1)[0][0].back == "#ffffff"
    assert picture_lines(clear, 2, 1)[0][0].back == "#101010"
    assert picture_lines(clear, 2, 1, is_light=True)[0][0].back == "#ffffff"


def test_what_has_no_room_or_no_pixels_is_said_or_nothing() -> None:
    assert picture_lines(np.zeros((3, 3), np.uint8), 0, 5) == ()
    assert plain(picture_lines(np.zeros((0, 3, 3), np.uint8), 20, 5)) == "an empty picture"


def test_a_smaller_picture_is_the_mean_of_what_it_covers() -> None:
    rng = np.random.default_rng(0)
    picture = rng.uniform(0, 255, (30, 50, 3))

    small = resized(picture, 3, 5)

    assert small.shape == (3, 5, 3)
    np.testing.assert_allclose(small, picture.reshape(3, 10, 5, 10, 3).mean(axis=(1, 3)))
    np.testing.assert_allclose(resized(picture, 7, 11).mean(), picture.mean())


def test_pictures_stand_beside_each_other() -> None:
    first = picture_lines(np.zeros((2, 2), np.uint8), 2, 1, depth="none", is_light=True)
    second = picture_lines(np.zeros((4, 2), np.uint8), 2, 2, depth="none", is_light=True)

    lines = beside([first, second], [4, 2])

    assert plain(lines) == "██    ██\n      ██"
    assert {line_cells(line) for line in lines} == {8}
