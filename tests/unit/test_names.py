"""Names beside a target's own, in 63 bytes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbpull.target.names import Names, is_ours


def all_of(target: str) -> list[str]:
    names = Names(target)
    first, old = names.original(()), names.discarded(())
    return [
        *(names.aside, names.previous, names.between(())),
        *(old, names.discarded({old}), first, names.original({first})),
        *(names.snapshot("a"), names.snapshot("b" * 30)),
    ]


def test_a_short_name_is_kept_whole() -> None:
    assert all_of("shop") == [
        "shop__dbpull_new",
        "shop__dbpull_previous",
        "shop__dbpull_swap",
        "shop__dbpull_old",
        "shop__dbpull_old_2",
        "shop__dbpull_original",
        "shop__dbpull_original_2",
        "shop__dbpull_at_a",
        "shop__dbpull_at_bbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
    ]


def test_a_name_that_just_fits_is_kept_whole() -> None:
    fits = "x" * (63 - len("__dbpull_previous"))

    assert Names(fits).previous == fits + "__dbpull_previous"
    assert Names(fits + "x").previous != fits + "x__dbpull_previous"


@pytest.mark.parametrize("target", ["x" * 63, "ü" * 31, "€" * 21, "🐘" * 15])
def test_a_long_name_is_cut_between_letters(target: str) -> None:
    for name in all_of(target):
        assert len(name.encode()) <= 63
        assert target.startswith(name.partition("_")[0])
        assert "\N{REPLACEMENT CHARACTER}" not in name


def test_long_names_that_begin_alike_stay_apart() -> None:
    one, other = "x" * 62 + "1", "x" * 62 + "2"

    assert not set(all_of(one)) & set(all_of(other))


def test_the_first_free_number_is_taken() -> None:
    names, taken = Names("x" * 60), set[str]()
    for _ in range(12):
        taken.add(names.original(taken))

    assert len(taken) == 12
    assert all(is_ours(name) and len(name.encode()) <= 63 for name in taken)
    gone = sorted(taken)[5]
    assert names.original(taken - {gone}) == gone


# What a name may be: no zero byte, no half of a pair, at most 63 bytes.
LETTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
NAMES = st.text(LETTERS, min_size=1).filter(lambda name: len(name.encode()) <= 63)


@given(NAMES)
def test_every_name_has_distinct_ones_beside_it(target: str) -> None:
    names = all_of(target)

    assert len({target, *names}) == 10
    assert all(len(name.encode()) <= 63 for name in names)
    assert all(is_ours(name) for name in names)
    assert names == all_of(target)


@given(NAMES)
def test_a_snapshot_is_known_by_its_target(target: str) -> None:
    names = Names(target)
    other = target[:-1] + ("!" if target.endswith("~") else "~")

    assert names.is_snapshot(names.snapshot("before-x"))
    assert not names.is_snapshot(Names(other).snapshot("before-x"))
    assert not names.is_snapshot(names.previous)


@pytest.mark.parametrize(
    "name",
    [
        *("shop", "dbpull", "__dbpull_new_shop", "shop_dbpull_new", "shop__dbpull"),
        *("shop__dbpull_at_", "shop__dbpull_at_-x", "shop__dbpull_at_" + "x" * 31),
        *("shop__dbpull_original_", "shop__dbpull_originals", "shop__dbpull_new\n"),
    ],
)
def test_other_names_are_not_ours(name: str) -> None:
    assert not is_ours(name)
