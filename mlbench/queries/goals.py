"""Which way a metric shall go, and which metrics matter most."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

from mlbench.queries.reading import Reader
from mlbench.queries.storage import metric_counts

_TOKEN = re.compile(r"[A-Z]+(?![a-z])\d*|[A-Z]?[a-z]+\d*|\d+")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_LEAST = _words("loss losses err error errors mae rmse mse nll perplexity ppl wer cer fid regret bpb bpc bpd latency")
_GREATEST = _words(
    "acc accuracy auc auroc f1 precision recall reward rewards rew return returns score map map50 bleu rouge iou miou "
    "r2 dice psnr ssim mrr ndcg top1 top5 fps success elbo"
)
_CLOCK = _words("time latency duration seconds secs ms elapsed")
"""Least is best, but only as the name itself: `time/fps` is no time."""
_SPREAD = _words("std stddev var variance scale count num len length")
"""Behind another word these are no score: `return_std`."""
_DEVIATION = _words("std stddev var variance")
"""Before another word either: `std_reward`."""
_COUNTERS = _words("epoch step steps iter iteration iterations lr timesteps")
_MACHINE = "system/"
"""What trackers measure of the machine (processor, memory): never what runs are compared by, unless asked."""
_HELD_OUT = _words("val valid validation eval evaluation test dev holdout")
_TRAIN = _words("train training")
_WHOLE = _LEAST | _GREATEST
_ENDINGS = (("loss", "min"), ("error", "min"), ("accuracy", "max"), ("acc", "max"), ("reward", "max"))


def _words_of(name: str) -> list[str]:
    """The words of a name in lower case; `valLoss` has two, `mIoU` is one."""
    words = []
    for chunk in re.findall(r"[^\W_]+", name):
        words += [chunk.lower()] if chunk.lower() in _WHOLE else [word.lower() for word in _TOKEN.findall(chunk)]
    return words


@lru_cache(maxsize=4096)
def guess_goal(metric: str) -> str:
    """`min` or `max` as the metric's name says it, '' where it says nothing.

    The last part of the name decides (`val/loss`), then the parts before it (`loss/val`); in a part the last word.
    """
    if is_of_machine(metric):
        return ""
    parts = re.split(r"[/.:\\]", metric)
    last = _words_of(parts[-1])
    if not _SPREAD.isdisjoint(last[-1:]) or not _DEVIATION.isdisjoint(last[:1]):
        return ""
    for index, part in enumerate(reversed(parts)):
        for word in reversed(_words_of(part)):
            if goal := _goal_of_word(word, is_last_part=index == 0):
                return goal
    return ""


def is_of_machine(metric: str) -> bool:
    """Whether the metric tells of the machine and not of the training: `system/cpu`."""
    return metric.startswith(_MACHINE)


def is_of_training(metric: str) -> bool:
    """Whether it was measured on what was trained on: `train/loss`."""
    return bool(set(_words_of(metric)) & _TRAIN)


def _goal_of_word(word: str, *, is_last_part: bool) -> str:
    if word in _LEAST or (is_last_part and word in _CLOCK):
        return "min"
    if word in _GREATEST:
        return "max"
    return next((goal for ending, goal in _ENDINGS if word.endswith(ending)), "")


def goal_of(reader: Reader, metric: str) -> tuple[str, str]:
    """The metric's goal and how it is known: `('min', 'set')` by the user, `('max', 'guessed')`, or `('', '')`."""
    said = reader.words.goals.get(metric)
    if said:
        return said, "set"
    guess = guess_goal(metric)
    return guess, "guessed" if guess else ""


def ranked_metrics(
    reader: Reader, run_ids: Sequence[str] | None = None, *, counts: Mapping[str, int] | None = None
) -> tuple[str, ...]:
    """The metrics of the runs, those that a comparison looks at first in front.

    First the primary metric and those whose goal the user set; then those with a guessed goal, times and counters
    after them, and what is of the machine last. Among equals those that at least half as many runs have as the most
    common one, held-out scores and losses before training ones, scores before losses, and then by how many runs have
    them and by name.

    Args:
        reader: the catalog.
        run_ids: the runs; all by default.
        counts: of how many of these runs have each metric, where that is known already.
    """
    counts = metric_counts(reader, run_ids) if counts is None else counts
    most = max(counts.values(), default=0)
    chosen = frozenset(reader.words.primary.values())

    def rank(metric: str) -> tuple[object, ...]:
        goal, how = goal_of(reader, metric)
        words = set(_words_of(metric))
        interest = 3 if is_of_machine(metric) else _interest(words, goal)
        said = (metric not in chosen, how != "set", interest)
        is_rare = counts[metric] * 2 < most
        place = 0 if words & _HELD_OUT else 2 if words & _TRAIN else 1
        is_slice = "=" in metric  # val/recall/class=3: one of many, the whole says more
        return (*said, is_rare, is_slice, place, goal != "max", -counts[metric], len(metric), metric)

    return tuple(sorted(counts, key=rank))


def _interest(words: set[str], goal: str) -> int:
    """0 for scores and losses, 1 for what has no goal, 2 for times and counters."""
    if words & _CLOCK or "fps" in words or (not goal and words & _COUNTERS):
        return 2
    return 0 if goal else 1


def primary_metric(
    reader: Reader, run_ids: Sequence[str] | None = None, *, counts: Mapping[str, int] | None = None
) -> tuple[str, str] | None:
    """The metric by which runs are best, and its goal; None where no metric of the runs has a goal.

    The one that the user chose, else the first of `ranked_metrics` with a goal.
    """
    for metric in ranked_metrics(reader, run_ids, counts=counts):
        goal, _how = goal_of(reader, metric)
        if goal:
            return metric, goal
    return None
