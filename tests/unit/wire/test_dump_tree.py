from mlbench.wire.dump_tree import MAX_LEAVES, Pair, Pairs, Raw, Scalar, clip, load_tree, pairs_of


def test_texts_are_kept_of_the_first_leaves_only() -> None:
    pairs = tuple(Pair(f"k{number}", Scalar("1", 1, 1), 1) for number in range(MAX_LEAVES + 1))

    loaded = load_tree(Pairs(pairs, 1))

    assert isinstance(loaded.value, dict)
    assert len(loaded.value) == MAX_LEAVES + 1
    assert len(loaded.raw) == MAX_LEAVES


def test_the_line_of_a_value_is_that_of_its_key() -> None:
    tree = pairs_of([("a", Scalar("1", 1, 9), 8)], 7)

    assert load_tree(tree).raw == {("a",): Raw("1", 8)}


def test_a_long_text_is_clipped() -> None:
    assert clip("a" * 41) == "a" * 39 + "…"
    assert clip("a" * 40) == "a" * 40
