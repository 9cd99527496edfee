import numpy as np

from mlbench.render.cells import ROLES
from mlbench.render.palette import DARK, DARK_GROUND, LIGHT, LIGHT_GROUND, Look, look, mixed, nearest_fixed, xterm256


def _luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(a: str, b: str) -> float:
    high, low = sorted((_luminance(a), _luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


GROUNDS = ("added", "removed")


def test_run_colours_can_be_read_on_their_ground() -> None:
    assert min(_contrast(colour, DARK_GROUND) for colour in DARK) >= 4.4
    assert min(_contrast(colour, LIGHT_GROUND) for colour in LIGHT) >= 2.9


def test_texts_can_be_read_on_their_ground() -> None:
    roles = [role for role in ROLES if role.isalpha() and role not in GROUNDS]

    assert min(_contrast(look(role).colour or "#ffffff", DARK_GROUND) for role in roles) >= 4.5
    assert min(_contrast(look(role, is_light=True).colour or "#000000", LIGHT_GROUND) for role in roles) >= 4.5


def test_code_can_be_read_on_added_and_removed_lines() -> None:
    for is_light in (False, True):
        for ground in GROUNDS:
            behind = look(ground, is_light=is_light).colour
            for role in ("good", "bad", "muted", "keyword", "string", "number", "key"):
                assert _contrast(look(role, is_light=is_light).colour, behind) >= 4.0, (role, ground, is_light)


def test_slots_begin_again_after_eight() -> None:
    assert look("run8") == look("run0")
    assert look("run1", is_light=True).colour == "#ff5f00"


def test_raw_curves_and_bands_are_nearer_to_the_ground() -> None:
    assert look("faint0").colour == "#386088"
    assert look("band0").colour == "#25394d"
    assert look("band0", is_light=True).colour == "#bfbff5"


def test_an_unknown_role_looks_like_text() -> None:
    assert look("no such role") == Look()
    assert look("title", is_light=True) == Look(is_bold=True)


def test_colours_of_the_palettes_are_in_the_cube() -> None:
    assert xterm256("#5fafff") == 75
    assert xterm256("#8a8a8a") == 245
    assert xterm256("#ffffff") == 231


def test_mixing_takes_a_share_of_each() -> None:
    assert mixed("#ffffff", "#000000", 0.5) == "#808080"


def test_a_colour_of_a_picture_is_itself_on_every_ground() -> None:
    assert look("#336699") == look("#336699", is_light=True) == Look("#336699", ansi16=90)
    assert look("#ff1100").ansi16 == 91
    assert look("#000000").ansi16 == 30


def test_the_nearest_fixed_colours_are_found_for_many_at_once() -> None:
    colours = np.random.default_rng(1).integers(0, 256, (200, 3)).astype(np.float64)

    nearest = nearest_fixed(colours)

    for colour, found in zip(colours, nearest.tolist(), strict=True):
        text, fixed = ("#" + "".join(f"{int(c):02x}" for c in channels) for channels in (colour, found))
        assert xterm256(text) == xterm256(fixed)
