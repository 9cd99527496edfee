"""The light dataclasses are as the standard library's: each promise is asked of both."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from collections.abc import Callable
from typing import Any

import pytest

from mlbench.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Ours:
    """A run."""

    name: str
    n: int = 3
    at: int = dataclasses.field(default=0, compare=False)
    tags: tuple[str, ...] = dataclasses.field(default_factory=lambda: ("new",), repr=False)

    @property
    def title(self) -> str:
        return self.name.upper()


@dataclasses.dataclass(frozen=True, slots=True)
class Theirs:
    """A run."""

    name: str
    n: int = 3
    at: int = dataclasses.field(default=0, compare=False)
    tags: tuple[str, ...] = dataclasses.field(default_factory=lambda: ("new",), repr=False)

    @property
    def title(self) -> str:
        return self.name.upper()


@dataclass(slots=True)
class Growing:
    names: list[str] = dataclasses.field(default_factory=list)
    n: int = dataclasses.field(default=5, init=False)
    total: int = 0

    def __post_init__(self) -> None:
        self.total = len(self.names)


@dataclass(frozen=True, slots=True, eq=False)
class Unlike:
    n: int


@dataclass(frozen=True, slots=True)
class One:
    x: float


@dataclass(frozen=True, slots=True)
class Nothing:
    pass


both = pytest.mark.parametrize("cls", [Ours, Theirs])
Class = Callable[..., Any]


@both
def test_fields_are_set_in_order_by_name_and_by_default(cls: Class) -> None:
    made = cls("a", at=7)

    assert (made.name, made.n, made.at, made.tags, made.title) == ("a", 3, 7, ("new",), "A")


@both
@pytest.mark.parametrize("given", [{}, {"name": "a", "size": 1}, {"n": 1}])
def test_wrong_arguments_are_refused(cls: Class, given: dict[str, object]) -> None:
    with pytest.raises(TypeError):
        cls(**given)


@both
def test_equal_fields_are_equal_objects_but_for_those_left_out(cls: Class) -> None:
    assert cls("a", at=1) == cls("a", at=2)
    assert hash(cls("a", at=1)) == hash(cls("a", at=2))
    assert cls("a") != cls("b")
    assert cls("a") != ("a", 3, 0, ("new",))


def test_another_class_with_the_same_fields_is_not_equal() -> None:
    ours: object = Ours("a")

    assert ours != Theirs("a")


def test_one_nan_equals_itself_as_in_a_tuple() -> None:
    nan = float("nan")

    assert One(nan) == One(nan)
    assert Nothing() == Nothing()


def test_without_comparison_an_object_equals_itself_only() -> None:
    made = Unlike(1)

    assert made == made  # noqa: PLR0124 - that is the promise
    assert made != Unlike(1)
    assert len({made, Unlike(1)}) == 2


@both
def test_nothing_can_be_changed(cls: Class) -> None:
    made = cls("a")

    with pytest.raises(dataclasses.FrozenInstanceError):
        made.n = 4
    with pytest.raises(dataclasses.FrozenInstanceError):
        del made.n
    with pytest.raises((AttributeError, TypeError)):
        made.other = 4


@both
def test_it_prints_what_it_holds(cls: Class) -> None:
    assert repr(cls("a")) == f"{cls.__name__}(name='a', n=3, at=0)"


@both
def test_it_can_be_matched_replaced_told_and_sent_to_another_process(cls: Class) -> None:
    made = cls("a", 4, tags=("x",))

    assert made.__match_args__ == ("name", "n", "at", "tags")
    assert dataclasses.replace(made, n=5) == cls("a", 5, tags=("x",))
    assert dataclasses.asdict(made) == {"name": "a", "n": 4, "at": 0, "tags": ("x",)}
    assert [field.name for field in dataclasses.fields(made)] == ["name", "n", "at", "tags"]
    assert pickle.loads(pickle.dumps(made)) == made
    assert copy.copy(made) == made


def test_a_class_that_grows_has_lists_of_its_own_and_no_hash() -> None:
    one, other = Growing(["a"]), Growing()
    other.names.append("b")

    assert (one.names, one.n, one.total) == (["a"], 5, 1)
    assert (other.names, other.total) == (["b"], 0)
    with pytest.raises(TypeError):
        hash(one)
    with pytest.raises(TypeError):
        Growing(n=6)  # type: ignore[call-arg]


def test_what_the_class_says_itself_stays() -> None:
    @dataclass(frozen=True, slots=True)
    class Said:
        n: int

        def __repr__(self) -> str:
            return "said"

    assert repr(Said(1)) == "said"
    assert Said.__doc__ is None
    assert Ours.__doc__ == "A run."
    assert Said.__qualname__.endswith("<locals>.Said")


def test_a_class_without_slots_is_refused() -> None:
    with pytest.raises(TypeError, match="slots"):
        dataclass(slots=False)
