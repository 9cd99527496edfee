import pytest

from mlbench.model import FEW_FILES, Listing


def test_a_listing_that_has_forgotten_answers_as_before() -> None:
    listing = Listing("/logs", ("b.CSV", "a.csv", "args.json", "README"), ())

    def answers() -> tuple[object, ...]:
        return (
            listing.ending("csv"),
            listing.has("args.json"),
            listing.naming(("read",), "readme"),
            listing.has("x.csv"),
        )

    before = answers()
    listing.forget()

    assert before == (["a.csv", "b.CSV"], True, ["README"], False)
    assert answers() == before


@pytest.mark.parametrize("n_others", [0, FEW_FILES])
def test_a_name_is_found_as_it_is_written_among_few_and_among_many(n_others: int) -> None:
    listing = Listing("/logs", ("b.CSV", "README", *(f"{n}.csv" for n in range(n_others))), ())

    found = {name: listing.has(name) for name in ("b.CSV", "README", "b.csv", "readme", "CSV", "")}

    assert found == {"b.CSV": True, "README": True, "b.csv": False, "readme": False, "CSV": False, "": False}
