from mlbench.tui.view import Marks, View, next_of


def test_marks_keep_their_order_and_their_slots() -> None:
    marks = Marks().toggled("a").toggled("b").toggled("c").toggled("a")

    assert marks.run_ids == ("b", "c")
    assert (marks.slot_of("b"), marks.slot_of("c"), marks.slot_of("a")) == (1, 2, None)


def test_a_new_mark_takes_the_lowest_free_slot() -> None:
    marks = Marks().toggled("a").toggled("b").toggled("a").toggled("d").toggled("e")

    assert marks.slots == (("b", 1), ("d", 0), ("e", 2))


def test_many_marks_at_once_get_different_slots_and_none_is_marked_twice() -> None:
    marks = Marks((("b", 1),)).with_all(["a", "b", "c", "a"])

    assert marks.slots == (("b", 1), ("a", 0), ("c", 2))
    assert len(marks) == 3
    assert "c" in marks


def test_marks_can_be_taken_away_together() -> None:
    assert Marks().with_all(["a", "b", "c"]).without(["a", "c"]).run_ids == ("b",)


def test_the_look_of_the_chart_changes_in_a_new_view() -> None:
    view = View()

    changed = view.charted(log_y=True, smoothing=0.9)

    assert (changed.chart.log_y, changed.chart.smoothing) == (True, 0.9)
    assert view.chart.log_y is False
    scales = [view.scaled("y", scale).chart for scale in ("log", "symlog", "linear")]
    assert [(look.log_y, look.symlog_y, look.y_scale) for look in scales] == [
        (True, False, "log"), (False, True, "symlog"), (False, False, "linear")
    ]  # fmt: skip


def test_the_next_choice_goes_round_about() -> None:
    levels = (0.0, 0.6, 0.9)

    assert [next_of(levels, level) for level in (0.0, 0.9, 0.5)] == [0.6, 0.0, 0.0]
