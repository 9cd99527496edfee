import json

from mlbench.model import Points, Problem, ReadStatus
from mlbench.wire.event_reading import EventReading
from tests.facts import apart


def test_a_reading_goes_on_where_its_cursor_was_made() -> None:
    reading = EventReading(offset=90, seq=7, n_records=8, n_bad=1, plugins={"note": "text"}, head=b"beginning")
    reading.note("payload", 40)

    cursor = reading.cursor(ReadStatus.EOF)
    resumed = EventReading.resumed(json.loads(json.dumps(cursor.state)))

    assert (cursor.status, cursor.n_records, cursor.n_bad) == (ReadStatus.DAMAGED, 8, 1)
    assert (resumed.offset, resumed.seq, resumed.plugins) == (90, 7, {"note": "text"})
    assert resumed.untold == {"payload": (1, 40)}
    assert resumed.begins_as_before(b"beginning, and more")
    assert not resumed.begins_as_before(b"another beginning")
    assert not resumed.begins_as_before(b"begin")


def test_what_was_handed_out_is_not_handed_out_again() -> None:
    reading = EventReading()
    reading.add_points(("a", "b"), 3, 1.5, (0.25, 0.5))

    first, second = list(reading.flush()), list(reading.flush())

    points = [fact for fact in apart(first) if isinstance(fact, Points)]
    assert [(fact.metric, fact.values.tolist(), fact.seq.tolist()) for fact in points] == [
        ("a", [0.25], [0]),
        ("b", [0.5], [1]),
    ]
    assert second == []


def test_damage_of_one_kind_is_one_problem_with_the_first_place() -> None:
    reading = EventReading()
    for offset in (40, 80):
        reading.leave_out("event", offset)

    first, second = list(reading.told("events")), list(reading.told("events"))

    assert first == [
        Problem(
            "events",
            "2 records hold no valid event and were left out",
            "offset 40",
            "The records are whole: another program than a TensorBoard writer made them",
        )
    ]
    assert (second, reading.n_bad) == ([], 2)
