from collections.abc import Iterator

import numpy as np
import pytest

from mlbench.ingest.keep import to_json
from mlbench.ingest.read import read_source
from mlbench.ingest.secrets import redact_fact
from mlbench.model import Adapter, Claim, Cursor, Param, Role
from mlbench.wire import dump_forms, recurring
from mlbench.wire.dump_forms import read_by_form


@pytest.fixture(autouse=True)
def _nothing_known() -> Iterator[None]:
    dump_forms.forget()
    yield
    dump_forms.forget()


def test_what_comes_a_second_time_is_kept() -> None:
    met: dict[str, Param | None] = {}
    first, second = Param("lr", "1", 1), Param("lr", "1", 1)

    recurring.remember(met, "lr: 1", first, 9)
    recurring.remember(met, "lr: 1", second, 9)

    assert met["lr: 1"] is second
    assert recurring.find(id(first)) is None
    known = recurring.find(id(second))
    assert known is not None
    assert known.fact is second


def test_what_is_kept_stays_small() -> None:
    met: dict[int, Param | None] = {}
    for number in range(recurring.MOST + 10):
        for _time in range(2):
            recurring.remember(met, number, Param("n", str(number), number), 7)

    assert len(met) <= 7
    assert recurring.known() == 10


def test_runs_of_a_sweep_share_the_parameters_that_they_have_in_common() -> None:
    texts = [f"lr: 0.1\nbetas:\n- 0.9\n- 0.99\nopt:\nseed: {seed}\n" for seed in range(5)]

    *_others, before, last = [read_by_form(text, ".yaml") for text in texts]

    assert before is not None
    assert last is not None
    assert [one is other for one, other in zip(before, last, strict=True)] == [True, True, True, False]
    assert [param.value for param in last] == [0.1, [0.9, 0.99], None, 4]


@pytest.mark.parametrize("zeros", [(0.0, -0.0), (-0.0, 0.0)])
def test_the_text_of_a_number_is_that_of_its_repr(zeros: tuple[float, float]) -> None:
    recurring.forget()
    numbers = (*zeros, 0.1, -2.5, 1e22, 1.0, 5e-324, float("inf"), float("nan"))

    assert [recurring.float_texts[number] for number in numbers * 2] == [repr(number) for number in numbers * 2]


def test_the_text_of_a_numpy_number_is_that_of_the_number() -> None:
    recurring.forget()

    assert [recurring.float_texts[number] for number in (np.float64(0.25), 0.25)] == ["0.25", "0.25"]


def test_texts_of_numbers_stay_few() -> None:
    for number in range(recurring.MOST + 10):
        recurring.float_texts[number + 0.5]

    assert len(recurring.float_texts) <= recurring.MOST


def read_twice(param: Param, salt: bytes) -> list[Param]:
    adapter = Adapter(
        "a", lambda _listing: iter(()), lambda _source, _cursor: iter([param, Cursor({})]), lambda _f: None
    )
    claim = Claim("/a", Role.DUMP, "/")
    return [fact for _time in range(2) for fact in read_source(adapter, claim, None, salt=salt).small]  # type: ignore[misc]


def test_what_is_known_of_a_parameter_is_what_was_found_out() -> None:
    plain, secret, odd = (
        Param("lr", "0.1", 0.1),
        Param("api_key", "hunter2hunter2", "hunter2hunter2"),
        Param("é", "é", "é"),
    )
    for param in (plain, secret, odd):
        met: dict[int, Param | None] = {}
        recurring.remember(met, 1, param, 9)
        recurring.remember(met, 1, param, 9)

    assert all(fact is plain for fact in read_twice(plain, b"s"))
    assert read_twice(secret, b"s") == [redact_fact(secret, b"s")] * 2
    assert read_twice(secret, b"t") != read_twice(secret, b"s")
    assert read_twice(odd, b"s") == [odd, odd]
    assert to_json([plain]) == to_json([plain]) == '[["param","lr","0.1",0.1,"config",null]]'
