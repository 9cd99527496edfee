"""Texts cut so that they still tell apart what they name."""

from hypothesis import given
from hypothesis import strategies as st

from mlbench.render.apart import fit_apart, fit_each
from mlbench.render.cells import fit_middle, width_cells
from mlbench.safe import safe

SETTINGS = tuple(
    safe(f"{data} {kind} lr={lr} width={width} 70493bf (n=3)")
    for data in ("v1", "v2") for kind in ("adam", "sgd") for lr in ("0.01", "0.1") for width in (16, 64)
)  # fmt: skip


def test_texts_are_cut_where_they_stay_apart() -> None:
    names = tuple(
        safe(f"sweep/{kind}-lr{lr}-w{w}-seed0") for kind in ("adam", "sgd") for lr in ("0.1", "0.3") for w in (16, 64)
    )

    apart = fit_apart(names, 18)

    assert len({fit_middle(name, 18) for name in names}) < len(set(names))
    assert len(set(apart)) == len(set(names))
    assert all(width_cells(text) <= 18 for text in apart)
    assert fit_apart((safe("abcdefgh"), safe("xbcdefgz")), 5) == ("ab…gh", "xb…gz")
    assert fit_apart((safe("same same"), safe("same same")), 5) == ("sa…me", "sa…me")
    assert fit_apart((), 5) == ()


@given(st.lists(st.text(max_size=12), max_size=6), st.integers(min_value=0, max_value=12))
def test_texts_cut_apart_fit_and_are_at_least_as_many_as_in_the_middle(texts: list[str], width: int) -> None:
    given_texts = tuple(map(safe, texts))

    cut = fit_apart(given_texts, width)

    assert len(cut) == len(given_texts)
    assert all(width_cells(text) <= width for text in cut)
    assert len(set(cut)) >= len({fit_middle(text, width) for text in given_texts})


def test_settings_that_no_one_place_tells_apart_have_shorter_words() -> None:
    apart = fit_apart(SETTINGS, 20)

    assert len(set(apart)) == len(SETTINGS)
    assert apart[0] == "v1 adam l=0.01 wi=16"
    assert all(width_cells(text) <= 20 for text in apart)


def test_words_that_are_equal_in_all_give_way_to_those_that_differ() -> None:
    texts = (safe("PPO Walker const (n=3)"), safe("PPO Walker exp (n=3)"), safe("PPO Hopper exp (n=3)"))

    assert fit_apart(texts, 12) == ("W… co… (n=3)", "W… exp (n=3)", "H… exp (n=3)")
    assert fit_apart(texts, 9) == ("Wal… con…", "Wal… exp", "Hop… exp")


def test_names_with_rooms_of_their_own_are_cut_alike_only_where_they_look_alike() -> None:
    alike = (safe("adam lr=0.01 width=16"), safe("adam lr=0.1 width=16"))

    assert fit_each((safe("abcdefgh"), safe("xyz")), (5, 3)) == ("ab…gh", "xyz")
    assert fit_each(alike, (10, 10)) == ("lr=0.01", "lr=0.1")
    assert fit_each((), ()) == ()


def test_what_cannot_be_told_apart_in_the_room_is_still_cut_to_it() -> None:
    assert {width_cells(text) for text in fit_apart(SETTINGS, 7)} == {7}


@given(
    st.lists(st.lists(st.sampled_from(["lr=0.1", "lr=0.25", "adam", "a", "", "width=64"]), max_size=5), max_size=8),
    st.integers(min_value=3, max_value=30),
)
def test_shortened_settings_fit(words: list[list[str]], width: int) -> None:
    texts = tuple(safe(" ".join(some)) for some in words)

    cut = fit_apart(texts, width)

    assert all(width_cells(text) <= width for text in cut)
    assert len(set(cut)) >= len({fit_middle(text, width) for text in texts})
