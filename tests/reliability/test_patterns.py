"""Promises of regular expressions: none takes far longer for a text that it nearly matches."""

import random
import re

import pytest

from tests.reliability.patterns import Asked, patterns_of, steepest


@pytest.mark.parametrize("source", [r"a*a*b", r"\[(\d+)\](?:,[^,:]+-[^,:]+:)+"])
def test_a_pattern_that_tries_all_ways_is_found(source: str) -> None:
    asked = Asked("made up", re.compile(source), ("fullmatch",))

    assert steepest(asked, 8, random.Random(1)) is not None


def test_a_pattern_that_goes_through_once_is_not_blamed() -> None:
    assert (
        steepest(Asked("made up", re.compile(r"\w++=\d++(?:,\d++)*+"), ("fullmatch", "match")), 8, random.Random(1))
        is None
    )


def test_the_patterns_of_a_module_are_found_with_how_they_are_asked() -> None:
    found = {asked.name: asked.uses for asked in patterns_of(["mlbench.adapters.boosting_log", "mlbench.redaction"])}

    assert found["mlbench.adapters.boosting_log:_XGBOOST"] == ("fullmatch",)
    assert found["mlbench.adapters.boosting_log:_XGBOOST_ITEM"] == ("fullmatch",)  # it is handed on
    assert sum(name.startswith("mlbench.redaction:") for name in found) > 3


@pytest.mark.parametrize(
    "module",
    ["adapters.boosting_log", "adapters.fairseq", "adapters.git", "render.markdown_cells", "wire.dump_gin", "wire.dump_lines",
     "wire.dump_command", "wire.dump_forms", "wire.yaml_plain"],
)  # fmt: skip
def test_the_patterns_of_logs_go_through_once(module: str) -> None:
    for asked in patterns_of([f"mlbench.{module}"]):
        assert steepest(asked, 6, random.Random(1)) is None
