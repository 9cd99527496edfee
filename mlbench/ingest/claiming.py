"""Asking the adapters about a folder: one that looks for names which are not there need not be asked again and again.

An adapter's claims follow from the listing alone, and from files that the listing names. One that asked a folder for
names and endings of which none was there, and claimed nothing, asks the same of every folder where none of them is, and
claims nothing there either: forty adapters look for seventy names and endings, of which a run's folder has four.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field
from typing import cast

from mlbench.dataclass import dataclass
from mlbench.model import FEW_FILES, Adapter, Claim, Listing

_TRIES = 16
"""Folders in which an adapter may find something before it is asked about all of them."""


@dataclass(slots=True)
class _Asked:
    """What one adapter asked of one folder, as long as nothing was there."""

    names: set[str] = field(default_factory=set)
    endings: set[str] = field(default_factory=set)
    is_of_folders: bool = False
    is_more: bool = False
    """It found something, or asked for what cannot be told beforehand."""


class _Noting:
    """A listing that notes what is asked of it."""

    def __init__(self, listing: Listing, asked: _Asked) -> None:
        self._listing, self._asked = listing, asked

    @property
    def folders(self) -> tuple[str, ...]:
        self._asked.is_of_folders = True
        self._asked.is_more = self._asked.is_more or bool(self._listing.folders)
        return self._listing.folders

    def ending(self, *endings: str) -> list[str]:
        self._asked.endings.update(endings)
        found = self._listing.ending(*endings)
        self._asked.is_more = self._asked.is_more or bool(found)
        return found

    def naming(self, words: tuple[str, ...], *endings: str) -> list[str]:
        return self._listing.naming(words, *endings) if self.ending(*endings) else []

    def has(self, name: str) -> bool:
        self._asked.names.add(name)
        is_there = self._listing.has(name)
        self._asked.is_more = self._asked.is_more or is_there
        return is_there

    def __getattr__(self, name: str) -> object:
        self._asked.is_more = True
        return getattr(self._listing, name)


class Claimer:
    """Asks some adapters, in their order, what they can read."""

    def __init__(self, adapters: Sequence[Adapter]) -> None:
        self.adapters = adapters
        self._always = set(range(len(adapters)))
        """Places of those that are asked about every folder: what they look for is not known, or not yet."""
        self._n_tries = dict.fromkeys(self._always, _TRIES)
        """Of those of which it may yet be found out."""
        self._by_name: dict[str, set[int]] = {}
        self._by_ending: dict[str, set[int]] = {}
        self._of_folders: set[int] = set()
        """Those that look for folders."""

    def claims(self, listing: Listing) -> list[tuple[Adapter, Claim]]:
        """Every claim with the adapter that makes it."""
        found: list[tuple[Adapter, Claim]] = []
        for place in sorted(self._concerned(listing)):
            adapter = self.adapters[place]
            if place in self._n_tries:
                found += [(adapter, claim) for claim in self._learn(place, listing)]
            else:
                found += [(adapter, claim) for claim in adapter.claims(listing)]
        return found

    def _concerned(self, listing: Listing) -> set[int]:
        """The places of those that have to be asked."""
        chosen = [self._always]
        if listing.folders:
            chosen.append(self._of_folders)
        chosen += [self._by_ending[ending] for ending in self._by_ending.keys() & listing.endings()]
        few = len(listing.files) <= FEW_FILES
        names = self._by_name.keys() & set(listing.files) if few else filter(listing.has, list(self._by_name))
        chosen += [self._by_name[name] for name in names]
        return set().union(*chosen)

    def _learn(self, place: int, listing: Listing) -> list[Claim]:
        """Ask an adapter, and take note of what it looks for where nothing of that is there."""
        asked = _Asked()
        claims = list(self.adapters[place].claims(cast(Listing, _Noting(listing, asked))))
        is_told = bool(asked.names or asked.endings or asked.is_of_folders)
        if is_told and not claims and not asked.is_more:
            for name in asked.names:
                self._by_name.setdefault(name, set()).add(place)
            for ending in asked.endings:
                self._by_ending.setdefault(ending, set()).add(place)
            if asked.is_of_folders:
                self._of_folders.add(place)
            self._always.discard(place)  # last: another thread may ask meanwhile
            self._n_tries.pop(place, None)
        elif (n_left := self._n_tries.get(place, 0) - 1) > 0:
            self._n_tries[place] = n_left
        else:
            self._n_tries.pop(place, None)
        return claims


_claimers: dict[int, Claimer] = {}
_MAX_CLAIMERS = 16


def claimer_of(adapters: Sequence[Adapter]) -> Claimer:
    """The one that asks these adapters; what it has found out of them is remembered."""
    claimer = _claimers.get(id(adapters))
    if claimer is None or claimer.adapters is not adapters:
        if len(_claimers) >= _MAX_CLAIMERS:
            _claimers.clear()
        claimer = _claimers[id(adapters)] = Claimer(adapters)
    return claimer
