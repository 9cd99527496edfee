"""The page of a run, and what stands behind each of its facts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from mlbench.queries.answers import ProblemLine, SeriesHead, ShowAnswer
from mlbench.render.cells import line_cells, plain
from mlbench.tui.run_page import PARTS, part_of, run_page
from mlbench.tui.stage import Looked, Paper, seen_part, stage_page
from mlbench.tui.widgets.lines_view import Page
from tests.tui.fake import FakeSession
from tests.unit.render.samples import show_answer


def shown() -> ShowAnswer:
    session = FakeSession()
    head = session.runs[0].head
    session.tag([head], ["best"], [])
    session.note([head], "**lr** wins")
    session.problem_lines = (ProblemLine("/logs/a.yaml", "line 3", "is not YAML", "Mend it"),)
    return session.show(head.run_id)


def text_of(page: Page) -> str:
    return plain((page.title, page.right, *page.lines))


def test_each_number_goes_to_its_part_whatever_is_missing() -> None:
    page = run_page(shown(), 80)

    titles = [plain(page.lines[start : start + 1]) for start in page.sections]
    assert titles[0].startswith(" 1 run")
    assert titles[1].startswith(" 2 parameters (1)")
    assert titles[3].startswith(" 4 code")
    assert titles[5].startswith(" 6 artifacts and what was logged")
    assert titles[7].startswith(" 8 sources and problems")
    assert len(page.sections) == len(PARTS) == 8


def test_a_run_of_which_little_is_known_has_all_eight_places() -> None:
    head = shown().head
    page = run_page(ShowAnswer(head, (), (), ()), 80)

    assert len(page.sections) == 8
    assert max(page.sections) < len(page.lines)


def test_sections_that_nobody_thought_of_stand_among_the_artifacts() -> None:
    assert part_of("lineage") == part_of("blobs") == 5


def test_each_fact_is_a_line_that_can_be_chosen_and_no_line_is_too_wide() -> None:
    for width in (40, 72, 160):
        page = run_page(show_answer(), width)

        assert len(page.keys) == len(page.lines)
        assert {
            "run:0",
            "params:2",
            "metrics:1",
            "blobs:0",
            "code:1",
            "tags:1",
            "notes:1",
            "sources:1",
            "problems:1",
        } <= set(page.keys)
        assert max(map(line_cells, page.lines)) <= width


def test_a_narrow_page_tells_last_and_best_a_wide_one_all() -> None:
    answer = show_answer()

    assert "best" in text_of(run_page(answer, 70))
    assert "remarks" in text_of(run_page(answer, 160))
    assert "/logs/alpha/config.yaml:4" in text_of(run_page(answer, 160))


def staged(key: str, answer: ShowAnswer | None = None, paper: Paper | None = None, **looked: object) -> str:
    page = stage_page(answer or show_answer(), Looked(key=key, **looked), paper or Paper(80, 30))  # type: ignore[arg-type]
    assert max(map(line_cells, page.lines), default=0) <= 80
    return text_of(page)


def test_a_parameter_tells_every_layer_and_where_it_stands() -> None:
    text = staged("params:0")

    assert "cli  holds" in text
    assert "config  overridden" in text
    assert "/logs/alpha/config.yaml:3" in text


def test_a_metric_tells_all_that_is_known_of_it() -> None:
    text = staged("metrics:0", series=FakeSession().series(["000000000000"], ["val/loss"], [])[0])

    assert "0.4 at step 90 (goal: min)" in text
    assert "3 NaN, 1 inf, 1 repeated step, 2 steps back, 4 of 14 points" in text
    assert "10 shown of 14 in the log" in text
    assert "┤" in text


def test_facts_name_their_source_or_say_that_they_were_worked_out() -> None:
    answer = shown()

    assert "/logs/sweep/adam-lr0.3-w64/meta.json" in staged("code:0", answer)
    assert "worked out" in staged("run:3", answer)
    assert "me@here 2023-11-14 22:13" in staged("tags:0", answer)
    assert "imported" in staged(
        "tags:0", replace(answer, head=replace(answer.head, tags=()), imported_tags=(("x", ""),))
    )


def test_the_patch_stands_behind_the_code() -> None:
    text = staged("code:0", shown(), patch=("/logs/diff.patch", "diff --git a/x b/x\n@@ -1 +1 @@\n-a\n+b\n"))

    assert "1 file  +1 -1" in text
    assert "/logs/diff.patch" in text
    assert "no patch" in staged("code:0", shown())


def test_an_image_is_drawn_with_its_place_and_its_steps() -> None:
    session = FakeSession()
    places = session.details.places("000000000000", "image", "matrix")
    looked: dict[str, Any] = {"places": places, "index": 2, "content": session.details.content(places[2])}

    text = staged("blobs:0", shown(), **looked)

    assert "step 30   3 of 3   h l" in text
    assert "png, 24 x 24 pixels, 64 B, 2023-11-14 22:13 UTC" in text
    assert "offset 3,000" in text
    assert "▀" in text
    assert "▀" not in staged("blobs:0", shown(), Paper(80, 30, depth="none", glyphs="ascii"), **looked)


def test_a_confusion_matrix_is_drawn_with_its_numbers() -> None:
    session = FakeSession()
    places = tuple(replace(place, kind="confusion") for place in session.details.places("000000000000", "text", "cm"))
    (matrix,) = session.details.logged(["000000000000"], "confusion", "").items
    looked: dict[str, Any] = {"places": places, "content": matrix}

    assert "accuracy 0.948" in staged("blobs:0", shown(), **looked)
    words = staged("blobs:0", shown(), Paper(80, 30, is_linear=True), **looked)
    assert "recall, least first: horse 0.87, dog 0.943, cat 1" in words


def test_what_cannot_be_read_is_told_in_place_of_the_picture() -> None:
    session = FakeSession()
    places = session.details.places("000000000000", "image", "matrix")

    text = staged("blobs:0", shown(), places=places, index=1, content=session.details.content(places[1]))

    assert "shorter than when it was ingested" in text
    assert "Ingest again" in text


def test_zooming_shows_a_part_around_a_place_and_never_less_than_a_pixel() -> None:
    pixels = np.arange(64, dtype=np.uint8).reshape(8, 8, 1)

    assert seen_part(pixels, Looked()).shape == (8, 8, 1)
    assert seen_part(pixels, Looked(zoom=2, x=1.0, y=0.0))[..., 0].tolist()[0] == [4, 5, 6, 7]
    assert seen_part(pixels, Looked(zoom=32)).shape == (1, 1, 1)


def test_notes_are_markdown_and_texts_too() -> None:
    session = FakeSession()
    places = session.details.places("000000000000", "text", "config")

    assert "lr wins" in staged("notes:0", shown())
    assert "Step 10\n\n  name config" in staged(
        "blobs:1", shown(), places=places, content=session.details.content(places[0])
    )


def test_a_metric_without_goal_has_no_best() -> None:
    metric = SeriesHead("x", 1, 1, 0, 0, 1.0, 1.0, 0, 1.0, 0, 0, 0, 0, 0, "", "", "")
    page = run_page(ShowAnswer(shown().head, (), (), (metric,)), 60)

    (line,) = (line for line, key in zip(page.lines, page.keys, strict=True) if key == "metrics:0")
    assert plain([line]).split() == ["x", "1", "0", "-", "-"]


@pytest.mark.parametrize("key", ["", "nothing:0", "run:x"])
def test_without_a_fact_nothing_is_told(key: str) -> None:
    assert staged(key)
