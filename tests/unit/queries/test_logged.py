import pytest

from mlbench.errors import UsageError
from mlbench.queries.logged import Chosen, choose_metrics
from tests.unit.queries.conftest import FakeReader


@pytest.fixture
def logged() -> tuple[FakeReader, list[str]]:
    reader = FakeReader()
    ids = [reader.add_run("a"), reader.add_run("b")]
    reader.add_series(ids[0], "loss", [1.0])
    reader.add_series(ids[0], "both", [1.0])
    for run_id, kind, metric in (
        (ids[0], "histogram", "layer1/w"), (ids[1], "histogram", "layer2/w"), (ids[1], "histogram", "both"),
        (ids[0], "pr_curve", "pr"), (ids[0], "image", "sample"), (ids[0], "mesh", "cow"),
    ):  # fmt: skip
        reader.add("blob", run_id=run_id, kind=kind, metric=metric, step=0)
    return reader, ids


def test_numbers_are_chosen_first(logged: tuple[FakeReader, list[str]]) -> None:
    assert choose_metrics(*logged_words(logged, "loss", "both"), "hist") == Chosen(
        ("loss", "both"), (), frozenset([logged[1][0]])
    )


def logged_words(logged: tuple[FakeReader, list[str]], *words: str) -> tuple[FakeReader, tuple[str, ...], list[str]]:
    reader, ids = logged
    return reader, words, ids


def test_histograms_and_numbers_are_told_apart(logged: tuple[FakeReader, list[str]]) -> None:
    reader, ids = logged

    chosen = choose_metrics(reader, ["loss", "layer2/w"], ids, "hist")

    assert chosen == Chosen(("loss",), ("layer2/w",), frozenset([ids[0]]), frozenset([ids[1]]))


def test_a_glob_means_all_histograms_that_match(logged: tuple[FakeReader, list[str]]) -> None:
    reader, ids = logged

    assert choose_metrics(reader, ["layer*"], ids, "hist").logged == ("layer1/w", "layer2/w")
    assert choose_metrics(reader, ["metrics.pr"], ids, "line").logged == ("pr",)


@pytest.mark.parametrize(
    ("word", "plot", "said"),
    [
        ("pr", "hist", "'pr' was logged as PR curves, not as numbers. Try: --kind line"),
        ("layer1/w", "line", "'layer1/w' was logged as histograms, not as numbers. Try: --kind hist"),
        ("layer1/w", "box", "'layer1/w' was logged as histograms, not as numbers. Try: --kind hist"),
        (
            "sample",
            "hist",
            "'sample' was logged as images, not as numbers. Try: mlbench export blobs -o FILE, for where they are",
        ),
        (
            "cow",
            "line",
            "'cow' was logged as mesh, not as numbers. Try: mlbench export blobs -o FILE, for where they are",
        ),
        ("loss", "matrix", "'loss' was logged as numbers, not as confusion matrices. Try: --kind line"),
        ("pr", "matrix", "'pr' was logged as PR curves, not as confusion matrices. Try: --kind line"),
        ("layer1/v", "hist", "no metric 'layer1/v' in 2 runs. Did you mean 'layer1/w'?"),
        ("metrics.los", "hist", "no metric 'metrics.los' in 2 runs. Did you mean 'loss'?"),
    ],
)
def test_a_word_that_cannot_be_drawn_is_told_why(
    logged: tuple[FakeReader, list[str]], word: str, plot: str, said: str
) -> None:
    reader, ids = logged

    with pytest.raises(UsageError) as caught:
        choose_metrics(reader, [word], ids, plot)

    assert str(caught.value) == said
