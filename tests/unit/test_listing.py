from mlbench.model import Listing


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
