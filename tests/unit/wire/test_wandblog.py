import io

import pytest

from mlbench.wire.protobuf import WireError
from mlbench.wire.wandbframes import BLOCK_BYTES, MAX_RECORD_BYTES, Framing, read_records
from mlbench.wire.wandblog import (
    Config,
    Exit,
    History,
    Item,
    Machine,
    Run,
    Sample,
    Summary,
    decode,
)
from tests.unit.wire.wandb_builder import HEAD, double, frame, history, item, log, number, text


def records_in(content: bytes) -> tuple[list[bytes], Framing]:
    framing = Framing()
    return list(read_records(io.BytesIO(content), framing)), framing


def test_records_of_all_sizes_come_back_whole() -> None:
    records = [b"a", b"b" * 40_000, b"", b"c" * 100_000, b"d" * 7]

    found, framing = records_in(log(*records))

    assert found == records
    assert framing == Framing(n_records=5)


@pytest.mark.parametrize("left", range(1, 9))
def test_fewer_than_seven_bytes_at_the_end_of_a_block_are_padding(left: int) -> None:
    first = b"x" * (BLOCK_BYTES - len(HEAD) - 7 - left)

    found, framing = records_in(log(first, b"second"))

    assert found == [first, b"second"]
    assert not framing.is_truncated


def test_a_file_cut_anywhere_is_truncated_and_keeps_what_is_whole() -> None:
    content = log(b"a" * 20, b"b" * 40_000, b"c" * 20)
    ends = [len(log(b"a" * 20)), len(log(b"a" * 20, b"b" * 40_000)), len(content)]

    for cut in [*range(len(HEAD), 200), *range(BLOCK_BYTES - 20, BLOCK_BYTES + 20), len(content) - 1]:
        found, framing = records_in(content[:cut])
        assert len(found) == sum(cut >= end for end in ends), cut
        assert framing.n_bad == 0
        assert framing.is_truncated == (cut not in {len(HEAD), *ends}), cut


def test_an_empty_file_is_neither_foreign_nor_truncated() -> None:
    assert records_in(b"") == ([], Framing())


def test_half_a_header_is_truncated_and_another_one_foreign() -> None:
    assert records_in(b":W&B")[1].is_truncated
    assert records_in(b"SQLite format 3\0")[1].is_foreign


def test_a_flipped_bit_costs_one_record() -> None:
    content = bytearray(log(b"first", b"second", b"third"))
    content[len(HEAD) + 7] ^= 1

    found, framing = records_in(bytes(content))

    assert found == [b"second", b"third"]
    assert (framing.n_bad, framing.first_bad) == (1, 7)


def test_parts_without_their_beginning_or_end_are_bad() -> None:
    content = HEAD + frame(b"lost", 3) + frame(b"lost", 4) + frame(b"open", 2) + frame(b"whole") + frame(b"x", 9)

    found, framing = records_in(content)

    assert found == [b"whole"]
    assert (framing.n_bad, framing.first_bad) == (4, 7)


def test_a_frame_that_reaches_beyond_its_block_costs_the_rest_of_the_block() -> None:
    content = bytearray(log(b"a" * 1000, b"b" * 40_000, b"last"))
    content[len(HEAD) + 4 : len(HEAD) + 6] = b"\xff\xff"

    found, framing = records_in(bytes(content))

    assert found == [b"last"]
    assert framing.n_bad == 2


def test_zeros_to_the_end_of_a_block_are_passed_over() -> None:
    padded = log(b"one")
    padded += b"\0" * (BLOCK_BYTES - len(padded)) + frame(b"two")

    assert records_in(padded) == ([b"one", b"two"], Framing(n_records=2))


def test_a_record_without_end_is_given_up() -> None:
    part = b"x" * (BLOCK_BYTES - 7)
    n_parts = MAX_RECORD_BYTES // len(part) + 3
    content = HEAD + frame(b"x" * (BLOCK_BYTES - 14), 2) + frame(part, 3) * n_parts

    found, framing = records_in(content)

    assert found == []
    assert framing.n_bad == 3


def test_history_has_items_of_every_type_of_value() -> None:
    typed = text(1, text(1, "none") + text(3, b"")), text(1, text(1, "bool") + number(4, 1))
    more = text(1, text(1, "int") + number(5, 3)), text(1, text(1, "double") + double(6, 0.5))
    rest = text(1, text(1, "text") + text(7, "x")), text(1, text(1, "json") + text(8, "[1]"))
    record = text(
        2,
        b"".join(
            [
                *typed,
                *more,
                *rest,
                item(("a", "b"), "NaN"),
                item("odd", "{"),
                item("n", "-2"),
                item("s", "1 x"),
                text(2, number(1, 9)),
            ]
        ),
    )

    found = decode(record)

    assert isinstance(found, History)
    assert found.step == 9
    assert found.items[:6] == (
        Item(("none",), None),
        Item(("bool",), True),
        Item(("int",), -2),
        Item(("double",), 0.5),
        Item(("text",), "x"),
        Item(("json",), [1]),
    )
    assert found.items[6].keys == ("a", "b")
    assert found.items[7:] == (Item(("odd",), "{"), Item(("n",), -2), Item(("s",), "1 x"))
    assert isinstance(found.items[8].value, int)


def test_a_step_without_number_is_0_and_none_is_none() -> None:
    assert decode(text(2, text(2, b""))) == History((), 0)
    assert decode(text(2, number(9, 1))) == History((), None)


def test_configuration_and_summary_have_updates_and_removals() -> None:
    updates = item("lr", "0.1") + text(2, text(1, "old")) + number(7, 1)

    assert decode(text(5, updates)) == Config((Item(("lr",), 0.1),), (("old",),))
    assert decode(text(3, updates)) == Summary((Item(("lr",), 0.1),), (("old",),))


def test_a_run_has_its_names_tags_start_and_code() -> None:
    run = text(1, "id1") + text(3, "demo") + text(8, "lr0.1") + text(10, "a") + text(10, "b") + number(14, 3)
    run += text(4, item("lr", "0.1")) + text(5, item("best", "1")) + text(99, "unknown")
    run += text(17, number(1, 100) + number(2, 500_000_000) + number(3, 1))
    run += text(21, text(1, "git@host:x") + text(2, "c0ffee") + text(3, "more"))

    assert decode(text(17, run)) == Run(
        {"run_id": "id1", "project": "demo", "name": "lr0.1"},
        ("a", "b"),
        Config((Item(("lr",), 0.1),)),
        Summary((Item(("best",), 1),)),
        100.5,
        "git@host:x",
        "c0ffee",
    )


def test_exit_codes_may_be_missing_or_negative() -> None:
    assert decode(text(18, b"")) == Exit(0)
    assert decode(text(18, number(1, -9) + number(2, 4))) == Exit(-9)


def test_a_measurement_of_the_machine_has_its_time() -> None:
    sample = text(2, number(1, 1_700_000_000) + number(2, 500_000_000))
    sample += text(3, text(1, "gpu.0.temp") + text(16, "61.5"))

    assert decode(text(7, sample)) == Sample((Item(("gpu.0.temp",), 61.5),), 1_700_000_000.5)
    assert decode(text(7, b"")) == Sample((), None)


def test_the_environment_holds_no_e_mail() -> None:
    machine = text(2, "CPython 3.11.7") + text(5, "--lr") + text(5, "0.1") + text(6, "train.py") + number(16, 2)
    machine += text(9, text(2, "c0ffee")) + text(10, "ana@example.org") + text(13, "ana")

    found = decode(text(26, machine))

    assert found == Machine(
        {"python": "CPython 3.11.7", "program": "train.py", "user": "ana"}, ("--lr", "0.1"), "", "c0ffee"
    )


def test_records_of_no_interest_are_none_and_what_is_no_message_is_an_error() -> None:
    assert decode(number(1, 5) + text(13, b"console")) is None
    with pytest.raises(WireError):
        decode(b"\xff\xff")


def test_a_row_of_the_builder_is_what_the_client_writes() -> None:
    assert decode(history(_step="0", loss="1.5")) == History((Item(("_step",), 0), Item(("loss",), 1.5)), None)
