"""Adapters are asked only where they may find something, and what is claimed is as if all had been asked."""

import os
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlbench.adapters import load_adapters
from mlbench.ingest.claiming import Claimer, claimer_of
from mlbench.model import Adapter, Claim, Fact, Listing, Role
from tests.paths import CORPORA, FORMATS, needs_corpora

NAMES = ("config.yaml", "args.json", "a.JSON", "notes", "Notes", "run.log", "x.csv", "flags.txt", ".hidden", "b.")
WORDS = ("config", "arg", "flag")


def read(_source: object, _cursor: object) -> Iterator[Fact]:
    return iter(())


def adapter(name: str, claims: object) -> Adapter:
    return Adapter(name, claims, read, lambda _folder: None)  # type: ignore[arg-type]


def claim(listing: Listing, name: str) -> Claim:
    return Claim(os.path.join(listing.path, name), Role.DUMP, listing.path)


def by_name(names: tuple[str, ...], listing: Listing) -> Iterator[Claim]:
    if any(listing.has(name) for name in names):
        yield from (claim(listing, name) for name in names if listing.has(name))


def by_ending(endings: tuple[str, ...], listing: Listing) -> Iterator[Claim]:
    yield from (claim(listing, name) for name in listing.ending(*endings) if not name.startswith("."))


def by_word(endings: tuple[str, ...], listing: Listing) -> Iterator[Claim]:
    yield from (claim(listing, name) for name in listing.naming(WORDS, *endings))


def by_folder(names: tuple[str, ...], listing: Listing) -> Iterator[Claim]:
    yield from (claim(listing, name) for name in names if name in listing.folders)


def by_path(_names: tuple[str, ...], listing: Listing) -> Iterator[Claim]:
    if listing.path.endswith("1"):
        yield claim(listing, "here")


def by_mapping(names: tuple[str, ...], listing: Listing) -> Iterator[Claim]:
    if listing.has(names[0]) or listing.mappings_above:
        yield claim(listing, "mapped")


def by_any(_names: tuple[str, ...], listing: Listing) -> Iterator[Claim]:
    yield from (claim(listing, name) for name in listing.files if "s" in name)


def never(_names: tuple[str, ...], _listing: Listing) -> Iterator[Claim]:
    return iter(())


RULES = (by_name, by_ending, by_word, by_folder, by_path, by_mapping, by_any, never)
ASKED = st.lists(st.sampled_from((*NAMES, "json", "yaml", "log", "txt", "csv", "hidden", "")), min_size=1, max_size=3)
LISTINGS = st.builds(
    Listing,
    st.sampled_from(("/a", "/b1")),
    st.lists(st.sampled_from(NAMES), unique=True, max_size=6).map(tuple),
    st.lists(st.sampled_from(("config.yaml", "runs")), unique=True).map(lambda names: tuple(sorted(names))),
    st.sampled_from(((), ("/mlbench.yaml",))),
)


def asked_all(adapters: Iterable[Adapter], listing: Listing) -> list[tuple[str, Claim]]:
    return [(one.name, claim) for one in adapters for claim in one.claims(listing)]


def found_by(claimer: Claimer, listing: Listing) -> list[tuple[str, Claim]]:
    return [(one.name, claim) for one, claim in claimer.claims(listing)]


@given(
    st.lists(st.tuples(st.sampled_from(RULES), ASKED), min_size=1, max_size=8), st.lists(LISTINGS, min_size=1, max_size=30)
)  # fmt: skip
def test_what_is_claimed_is_as_if_all_had_been_asked(
    rules: list[tuple[Callable[..., Iterator[Claim]], list[str]]], listings: list[Listing]
) -> None:
    adapters = [adapter(str(n), partial(rule, tuple(names))) for n, (rule, names) in enumerate(rules)]
    claimer = Claimer(adapters)

    for listing in listings:
        assert found_by(claimer, listing) == asked_all(adapters, listing)


def test_who_looks_for_names_that_are_not_there_is_not_asked_again() -> None:
    asked: list[str] = []
    folder = ""

    def claims(listing: Listing) -> Iterator[Claim]:
        asked.append(folder)
        yield from by_name(("run.log",), listing)

    claimer = Claimer([adapter("one", claims)])
    for number in range(20):
        folder = f"/{number}"
        claimer.claims(Listing(folder, ("config.yaml",), ()))
    folder = "/last"
    found = claimer.claims(Listing(folder, ("run.log",), ()))

    assert asked == ["/0", "/last"]
    assert [claim.path for _adapter, claim in found] == ["/last/run.log"]


def test_among_many_files_a_name_is_found_as_well() -> None:
    claimer = Claimer([adapter("one", partial(by_name, ("run.log",)))])
    claimer.claims(Listing("/a", (), ()))
    many = tuple(f"{number}.png" for number in range(100))

    assert claimer.claims(Listing("/b", many, ())) == []
    assert len(claimer.claims(Listing("/c", (*many, "run.log"), ()))) == 1


@pytest.mark.parametrize("rule", [by_path, by_any, never])
def test_who_looks_for_something_else_is_asked_about_every_folder(rule: object) -> None:
    n_asked = 0

    def claims(listing: Listing) -> Iterator[Claim]:
        nonlocal n_asked
        n_asked += 1
        return rule((), listing)  # type: ignore[operator, no-any-return]

    claimer = Claimer([adapter("one", claims)])
    for number in range(40):
        claimer.claims(Listing(f"/{number}", (), ()))

    assert n_asked == 40


def test_it_is_remembered_for_the_same_adapters() -> None:
    adapters = [adapter("one", partial(by_name, ("run.log",)))]

    assert claimer_of(adapters) is claimer_of(adapters)
    assert claimer_of(list(adapters)) is not claimer_of(adapters)
    assert all(claimer_of([one]).adapters == [one] for one in adapters * 40)


@needs_corpora
def test_real_folders_in_any_order_are_claimed_as_if_all_had_been_asked() -> None:
    adapters = load_adapters()
    listings = [listing for top in (CORPORA, FORMATS) for listing in listings_below(top)]
    for order in (listings, listings[::-1], sorted(listings, key=lambda one: one.path[::-1])):
        claimer = Claimer(adapters)
        for listing in order:
            assert found_by(claimer, listing) == asked_all(adapters, listing)


def listings_below(top: Path) -> Iterator[Listing]:
    for folder, folders, files in os.walk(top):
        yield Listing(os.path.realpath(folder), tuple(files), tuple(sorted(folders)))
