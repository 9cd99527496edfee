"""No link leads nowhere, and the README stays short."""

from pathlib import Path

import pytest

from tests.docs.pages import BESIDE, PAGES, README, anchors_in, links_in
from tests.paths import ROOT

EVERYWHERE = [README, *PAGES, *(page for page in BESIDE if page.exists())]


@pytest.mark.parametrize("page", EVERYWHERE, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_relative_link_resolves(page: Path) -> None:
    for link in links_in(page):
        name, _hash, fragment = link.partition("#")
        target = (page.parent / name).resolve() if name else page

        assert target.exists(), link
        assert target.is_relative_to(ROOT), link
        if fragment:
            assert fragment in anchors_in(target), link


def test_the_readme_is_under_120_lines() -> None:
    assert len(README.read_text(encoding="utf-8").splitlines()) < 120


def test_every_page_is_reached_from_the_readme() -> None:
    reached, pending = set(), [README]
    while pending:
        page = pending.pop()
        if page.is_dir():
            page /= "README.md"
        if page in reached or page.suffix != ".md" or not page.exists():
            continue
        reached.add(page)
        pending += [(page.parent / link.partition("#")[0]).resolve() for link in links_in(page) if link[0] != "#"]

    assert [str(page.relative_to(ROOT)) for page in PAGES if page not in reached] == []


def test_a_decision_has_its_three_parts() -> None:
    decisions = [page for page in PAGES if page.parent.name == "decisions" and page.name != "README.md"]

    assert len(decisions) >= 8
    for page in decisions:
        text = page.read_text(encoding="utf-8")
        assert text.startswith(f"# {page.name[:4]} ")
        assert [part for part in ("**Context.**", "**Decision.**", "**Consequences.**") if part not in text] == []
