import pytest

from mlbench.tui.actions import ACTIONS, BY_ID, CHART, COMPARE, PANES, RUNS, actions_of, key_text
from mlbench.tui.doing import HANDLERS
from mlbench.tui.keyboard import Keyboard


def pressed_id(keyboard: Keyboard, key: str, pane: str) -> str | None:
    action = keyboard.press(key, pane).action
    return action.id if action else None


def test_every_action_has_a_handler_and_every_handler_an_action() -> None:
    assert sorted(HANDLERS) == sorted(BY_ID)


def test_ids_are_unique() -> None:
    assert len(BY_ID) == len(ACTIONS)


@pytest.mark.parametrize("pane", PANES)
def test_no_key_means_two_things_in_one_pane(pane: str) -> None:
    own = [key for action in ACTIONS if action.panes and action.works_in(pane) for key in action.keys]
    general = [key for action in ACTIONS if not action.panes for key in action.keys]

    assert len(own) == len(set(own))
    assert len(general) == len(set(general))


def test_a_key_means_what_its_pane_says() -> None:
    keyboard = Keyboard()

    assert pressed_id(keyboard, "s", RUNS) == "runs.sort"
    assert pressed_id(keyboard, "s", CHART) == "chart.smoothing"
    assert pressed_id(keyboard, "d", CHART) == "runs.compare"
    assert pressed_id(keyboard, "s", COMPARE) is None


def test_a_number_before_a_key_is_its_count() -> None:
    keyboard = Keyboard()

    assert keyboard.press("1", RUNS).pending == "1"
    assert keyboard.press("0", RUNS).pending == "10"
    pressed = keyboard.press("j", RUNS)
    after = keyboard.press("j", RUNS)

    assert (pressed.action, pressed.count, pressed.has_count) == (BY_ID["move.down"], 10, True)
    assert after.count == 1


def test_digits_go_to_sections_where_there_are_some() -> None:
    keyboard = Keyboard()

    assert pressed_id(keyboard, "2", COMPARE) == "lists.section_2"
    assert pressed_id(keyboard, "0", CHART) == "chart.zoom_all"


def test_two_keys_after_each_other_are_one_action() -> None:
    keyboard = Keyboard()

    assert keyboard.press("y", RUNS).pending == "y"
    assert [key for key, _action in keyboard.following(RUNS)] == ["y", "i", "c", "r", "p", "m"]
    assert pressed_id(keyboard, "c", RUNS) == "app.copy_command"


def test_a_key_that_means_nothing_ends_a_sequence() -> None:
    keyboard = Keyboard()
    keyboard.press("y", RUNS)

    assert pressed_id(keyboard, "q", RUNS) is None
    assert not keyboard.is_waiting
    assert pressed_id(keyboard, "q", RUNS) == "app.back"


def test_a_remapped_key_works_and_the_old_one_does_not() -> None:
    keyboard = Keyboard({"runs.compare": "D, esc"})

    assert keyboard.complaints == ()
    assert pressed_id(keyboard, "D", RUNS) == "runs.compare"
    assert pressed_id(keyboard, "d", RUNS) is None
    assert pressed_id(keyboard, "escape", RUNS) == "runs.unmark"


def test_a_remapped_key_is_taken_from_the_action_that_had_it() -> None:
    keyboard = Keyboard({"runs.sort": "b"})

    assert pressed_id(keyboard, "b", RUNS) == "runs.sort"
    assert keyboard.complaints == ("keys: b is now runs.sort, and no longer runs.baseline",)


def test_of_two_remapped_to_one_key_one_has_it_and_it_is_told() -> None:
    keyboard = Keyboard({"runs.sort": "W", "runs.tag": "X", "runs.mark": "W"})

    assert len(keyboard.complaints) == 1
    assert pressed_id(keyboard, "W", RUNS) in ("runs.sort", "runs.mark")


def test_an_unknown_action_in_the_settings_is_told_with_the_nearest() -> None:
    keyboard = Keyboard({"runs.compar": "D", "xyz": "q"})

    assert keyboard.complaints[0] == "keys: there is no action 'runs.compar'. Did you mean 'runs.compare'?"
    assert keyboard.complaints[1].startswith("keys: there is no action 'xyz'. Try")


def test_the_footer_shows_keys_that_work_in_the_pane_the_most_needed_first() -> None:
    footer = Keyboard().footer(RUNS)

    assert [key for key, _action in footer][:6] == ["space", "/", "s", "d", "p", "t"]
    assert "chart.smoothing" not in [action.id for _key, action in footer]


def test_a_remapped_key_is_shown_in_the_footer() -> None:
    footer = Keyboard({"runs.mark": "m"}).footer(RUNS)

    assert footer[0][0] == "m"


def test_help_leaves_out_keys_that_another_action_has_in_the_pane() -> None:
    working = {action.id: keys for keys, action in Keyboard().working(CHART)}

    assert working["chart.smoothing"] == ("s",)
    assert "runs.sort" not in working
    assert working["app.problems"] == ()


def test_keys_are_shown_as_people_read_them() -> None:
    assert [key_text(key) for key in ("y c", "escape", "pagedown", "ctrl+p", "/")] == [
        "yc",
        "esc",
        "PgDn",
        "ctrl+p",
        "/",
    ]


def test_the_actions_of_a_pane_come_before_those_of_everywhere() -> None:
    ids = [action.id for action in actions_of(CHART)]

    assert ids[0].startswith("chart.")
    assert ids[-1] == "move.bottom"


def test_arrows_enter_and_escape_stay_with_their_actions_unless_given_away() -> None:
    keyboard = Keyboard({"move.down": "J", "runs.details": "e", "runs.sort": "enter"})

    assert keyboard.complaints == ()
    assert pressed_id(keyboard, "J", RUNS) == pressed_id(keyboard, "down", RUNS) == "move.down"
    assert pressed_id(keyboard, "j", RUNS) is None
    assert pressed_id(keyboard, "enter", RUNS) == "runs.sort"
    assert pressed_id(keyboard, "e", RUNS) == "runs.details"


def test_what_to_type_is_the_key_else_the_id() -> None:
    keyboard = Keyboard({"app.undo": "ctrl+z", "app.stop": "", "app.copy_id": "y k"})

    assert [keyboard.name_of(one) for one in ("app.undo", "app.stop", "app.copy_id")] == ["ctrl+z", ":app.stop", "yk"]
