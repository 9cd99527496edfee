from mlbench.ingest.checking import Checked, Damage
from mlbench.render.cells import plain
from mlbench.render.damage import checked_text, damage_records, damage_table
from mlbench.render.table import layout

PLACES = (
    Damage("runs/a/ev\x1b[2Jil.tfevents", "payload", 1100, 100, "the payload is bad"),
    Damage("runs/b/x.tfevents", "truncated", 5_000_000, 12, "it ends"),
    Damage("runs/c", "unreadable", None, None, "permission denied"),
)


def test_places_are_a_table_and_hostile_names_are_harmless() -> None:
    assert plain(layout(damage_table(PLACES))).splitlines() == [
        "where                      offset   size  kind        what",
        "runs/a/ev␛[2Jil.tfevents     1100  100 B  payload     the payload is bad",
        "runs/b/x.tfevents         5000000   12 B  truncated   it ends",
        "runs/c                                    unreadable  permission denied",
    ]


def test_records_keep_exact_numbers() -> None:
    records = damage_records(PLACES[1:])

    assert records.keys == ("path", "kind", "offset", "bytes", "what")
    assert records.rows == (
        ("runs/b/x.tfevents", "truncated", 5_000_000, 12, "it ends"),
        ("runs/c", "unreadable", None, None, "permission denied"),
    )


def test_the_sum_is_one_sentence() -> None:
    well = Checked(n_total=1, n_files=1, n_records=1203, n_bytes=64_200)
    bad = Checked(2, 2, 1, 100, places=list(PLACES), n_unlisted=1)

    assert checked_text(well) == "1 file, 1,203 records, 64.2 kB checked: no damage"
    assert checked_text(bad) == "2 files, 1 record, 100 B checked: 3 places are damaged, 1 file ends within a record"
