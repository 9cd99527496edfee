"""What a run had that no source of it recorded: the code around it and the data that it names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mlbench.ingest.code import Repositories, attribute_code
from mlbench.ingest.data import Stores, attribute_data
from mlbench.ingest.draft import Draft
from mlbench.ingest.features import FeatureStores, attribute_features
from mlbench.ingest.lfs import LfsStore, attribute_lfs
from mlbench.ingest.workers import ReadRun
from mlbench.model import DataVersion, Problem
from mlbench.wire import patience
from mlbench.wire.patience import HangsError, LeavingError, Patience, UnansweredError


class Attributor:
    """Makes drafts of runs that were read; remembers the repositories, tables and stores that it met."""

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self._repositories = Repositories()
        self._stores = Stores()
        self._lfs = LfsStore()
        self._features = FeatureStores()

    def draft(self, run: ReadRun) -> Draft:
        """A run with its code and data.

        Raises:
            UnansweredError: the run's folder was set aside.
        """
        draft = _plain(run)
        if draft.is_sweep_only:
            return draft
        patience.enter(draft.unit.folder)
        draft.code = attribute_code(draft, self._repositories, run.span.first_wall_s)
        started = draft.recorded("started")
        begin_s = float(started) if isinstance(started, int | float) else run.span.first_wall_s
        draft.data = attribute_data(draft, self._stores, begin_s)
        recorded = [fact.name for _member, _path, fact in draft.of_kind(DataVersion)]
        known = [*recorded, *(version.name for version in draft.data)]
        draft.data += attribute_lfs(draft, self._repositories, self._lfs, known)
        draft.data += attribute_features(draft, self._features, begin_s, known)
        return draft

    def drafts(self, runs: Sequence[ReadRun], waiting: Patience) -> list[Draft]:
        """The drafts of several runs, in their order; where something hangs, without what it would have told."""
        while True:
            try:
                return waiting.call(lambda: [self._draft_or_plain(run) for run in runs])
            except HangsError as error:
                self.forget()
                if error.is_known:
                    break
            except LeavingError:
                break
        return [_plain(run) for run in runs]

    def _draft_or_plain(self, run: ReadRun) -> Draft:
        try:
            return self.draft(run)
        except UnansweredError:
            return _plain(run)

    def problems(self) -> Iterator[Problem]:
        """What could not be read, each told once."""
        for problems in (self._stores.problems, self._features.problems):
            while problems:
                yield problems.popitem()[1]

    def forget(self) -> None:
        """Begin anew: a thread that hangs has what was opened in its hands."""
        self._begin()

    def close(self) -> None:
        """Let go of the repositories."""
        self._repositories.close()


def _plain(run: ReadRun) -> Draft:
    return Draft(run.unit.unit, run.unit.root, run.sources)
