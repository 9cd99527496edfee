"""The comparison with all that is read where it lies: what changed in the code, the notebooks and the data."""

from __future__ import annotations

from collections.abc import Sequence

from mlbench.errors import UsageError
from mlbench.queries.answers import DiffAnswer
from mlbench.queries.at_best import with_values_at
from mlbench.queries.code import with_code_changes
from mlbench.queries.compare import compare_runs
from mlbench.queries.data_changes import with_data_changes
from mlbench.queries.notebooks import with_notebooks
from mlbench.queries.reading import Reader


def compare_whole(reader: Reader, run_ids: Sequence[str], *, everything: bool = False, at: str = "") -> DiffAnswer:
    """Runs side by side, the first as the baseline.

    Args:
        reader: the catalog.
        run_ids: one or more.
        everything: keep what is equal in all runs.
        at: a metric at whose best step the others are told, too; runs that have none such are compared without.

    Raises:
        UsageError: no run has one of the ids.
    """
    answer = compare_runs(reader, run_ids, everything=everything)
    if at:
        try:
            answer = with_values_at(reader, answer, at)
        except UsageError:
            pass  # these runs have no such metric: the view keeps it for those that have
    for more in (with_code_changes, with_notebooks, with_data_changes):
        answer = more(reader, answer)
    return answer
