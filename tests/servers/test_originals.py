"""A database that dbpull did not fill is never dropped by it: on real servers."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from databases import Postgres, served
from dbpull.errors.target import TargetError
from dbpull.target.family import Family, look, refuse_held_open
from dbpull.target.leftovers import leftovers
from dbpull.target.names import Names
from swaps import WORD, comment_now, pull, undo, word

LOOK = "dbpull.target.swap.look"


def own(postgres: Postgres, text: str = "mine", name: str = "") -> str:
    """A developer's database."""
    return postgres.database(WORD.format(text), name=name)


def kept(postgres: Postgres, name: str, number: int = 1) -> str:
    """The name of an original database of a target."""
    taken: set[str] = set()
    for _ in range(number - 1):
        taken.add(Names(name).original(taken))
    return Names(name).original(taken)


def mark(postgres: Postgres, dbname: str, comment: str) -> None:
    quoted = comment.replace("'", "''")
    postgres.sql("postgres", f"COMMENT ON DATABASE {dbname} IS '{quoted}'")


def words(postgres: Postgres, name: str) -> set[str]:
    """The words of a target and all that is kept beside it."""
    names = [one for one in postgres.databases() if one.startswith(name)]
    return {word(postgres, one) for one in names}


def test_after_many_pulls_it_is_there_and_comes_back(postgres: Postgres) -> None:
    name = own(postgres)

    for number in ("first", "second", "third"):
        pull(postgres, name)
        postgres.sql(name, f"UPDATE word SET of = '{number} pull'")

    assert postgres.beside(name) == {"target", "previous", "original"}
    assert word(postgres, Names(name).previous) == "second pull"
    assert word(postgres, kept(postgres, name)) == "mine"
    for one in (name, postgres.database()):  # to no pull it is a leftover
        assert leftovers(postgres.psql(one), postgres.state(one)) == []
    undo(postgres, name, original=True)
    assert word(postgres, name) == "mine"
    assert postgres.state(name).comment is None
    # The pulled one that was current is what undo brings back.
    assert postgres.beside(name) == {"target", "previous"}
    undo(postgres, name)
    assert word(postgres, name) == "third pull"
    assert postgres.beside(name) == {"target", "original"}


@pytest.mark.parametrize("keep", [True, False])
def test_brought_back_and_replaced_again_and_again_it_stays(
    postgres_18: Postgres, *, keep: bool
) -> None:
    name = own(postgres_18)

    for _ in range(2):
        pull(postgres_18, name, keep_previous=keep)
        pull(postgres_18, name, keep_previous=keep)
        if not keep:
            refuse_undo_without_a_previous_one(postgres_18, name)
        undo(postgres_18, name, original=True)
        assert word(postgres_18, name) == "mine"

    pull(postgres_18, name, keep_previous=keep)
    assert word(postgres_18, kept(postgres_18, name)) == "mine"


def refuse_undo_without_a_previous_one(postgres: Postgres, name: str) -> None:
    """Assert that none has stayed, and that the remedy names the original one."""
    assert postgres.beside(name) == {"target", "original"}
    with pytest.raises(TargetError, match=f"no previous database of {name}") as raised:
        undo(postgres, name)
    assert f"{name}__dbpull_original, which" in raised.value.remedy
    assert "db.undo --original" in str(raised.value)


def test_each_gets_a_number_and_comes_back_in_the_turn_that_is_told(
    postgres_18: Postgres,
) -> None:
    name = own(postgres_18, "one")
    pull(postgres_18, name)
    for text in ("two", "three"):
        postgres_18.sql("postgres", f"DROP DATABASE {name}")
        own(postgres_18, text, name)
        pull(postgres_18, name)

    assert postgres_18.beside(name) == {"target", "original", "original 2"}
    assert word(postgres_18, kept(postgres_18, name, 3)) == "three"
    turn = postgres_18.family(name).originals_in_turn
    told = [word(postgres_18, one.dbname) for one in turn]

    seen = []
    for _ in range(6):
        undo(postgres_18, name, original=True)
        seen.append(word(postgres_18, name))

    # The one that was replaced last comes first.
    assert told == seen[:3] == ["three", "one", "two"]
    assert sorted(seen[3:]) == sorted(told)
    undo(postgres_18, name)
    assert word(postgres_18, name) == "new"


def test_undo_takes_turns_between_two_of_ones_own(postgres_18: Postgres) -> None:
    name = own(postgres_18, "one")
    pull(postgres_18, name)
    postgres_18.sql("postgres", f"DROP DATABASE {name}")
    own(postgres_18, "two", name)

    seen = []
    for original in (True, False, False):
        undo(postgres_18, name, original=original)
        seen.append(word(postgres_18, name))

    assert seen == ["one", "two", "one"]


def test_a_name_that_is_somebody_elses_is_passed_over(postgres_18: Postgres) -> None:
    name = own(postgres_18)
    theirs = own(postgres_18, "theirs", kept(postgres_18, name))

    pull(postgres_18, name)

    assert word(postgres_18, theirs) == "theirs"
    assert word(postgres_18, kept(postgres_18, name, 2)) == "mine"
    undo(postgres_18, name, original=True)
    assert (word(postgres_18, name), word(postgres_18, theirs)) == ("mine", "theirs")


def test_names_that_are_too_long_get_numbers_as_well(postgres_18: Postgres) -> None:
    name = own(postgres_18, "one", "ü" * 31)
    pull(postgres_18, name)
    postgres_18.sql("postgres", f"DROP DATABASE {name}")
    own(postgres_18, "two", name)
    pull(postgres_18, name)
    pull(postgres_18, name)

    found = [word(postgres_18, kept(postgres_18, name, number)) for number in (1, 2)]

    assert found == ["one", "two"]


@pytest.mark.parametrize(
    ("inner", "keep"),
    [("NULL", True), ("'it''s mine'", False), ("'{\"dbpull\": 7}'", True)],
)
def test_what_an_older_version_kept_as_previous_is_not_dropped(
    postgres_18: Postgres, inner: str, *, keep: bool
) -> None:
    name = own(postgres_18, "pulled")
    mark(postgres_18, name, comment_now())
    previous = own(postgres_18, "mine", Names(name).previous)
    built = "json_build_object('dbpull', json_build_object('previous_of', '{}', {}))"
    old = built.format(name, f"'comment', {inner}")
    mark(postgres_18, previous, postgres_18.sql("postgres", f"SELECT {old}"))

    pull(postgres_18, name, keep_previous=keep)

    assert word(postgres_18, kept(postgres_18, name)) == "mine"
    undo(postgres_18, name, original=True)
    assert word(postgres_18, name) == "mine"
    comment = postgres_18.sql("postgres", f"SELECT {inner}")
    assert (postgres_18.state(name).comment or "") == comment


def test_what_an_older_version_kept_comes_back_and_goes_again(
    postgres_18: Postgres,
) -> None:
    name = own(postgres_18, "current")
    previous = own(postgres_18, "mine", Names(name).previous)
    mark(postgres_18, previous, json.dumps({"dbpull": {"previous_of": name}}))

    undo(postgres_18, name)
    assert word(postgres_18, name) == "mine"
    assert postgres_18.beside(name) == {"target", "original"}
    undo(postgres_18, name)

    assert word(postgres_18, name) == "current"


def test_one_that_was_refilled_in_place_is_still_ones_own(
    postgres_18: Postgres,
) -> None:
    name = own(postgres_18)
    told = json.loads(comment_now())
    told["dbpull"]["beside_own"] = True
    mark(postgres_18, name, json.dumps(told))

    for _ in range(3):
        pull(postgres_18, name)

    assert word(postgres_18, kept(postgres_18, name)) == "mine"


def test_a_target_that_appears_before_the_swap_is_kept(
    postgres_18: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = own(postgres_18)
    pull(postgres_18, name)

    def then_another(query: Callable[[str], str], names: Names) -> Family:
        found = look(query, names)
        monkeypatch.setattr(LOOK, look)
        postgres_18.sql("postgres", f"DROP DATABASE {name}")
        own(postgres_18, "just made", name)
        return found

    monkeypatch.setattr(LOOK, then_another)
    pull(postgres_18, name)

    assert words(postgres_18, name) == {"new", "mine", "just made"}


def test_without_one_that_is_told(postgres_18: Postgres) -> None:
    name = postgres_18.database()

    with pytest.raises(TargetError, match=f"no original database of {name}"):
        undo(postgres_18, name, original=True)


def renamed_by_hand(postgres: Postgres, dbname: str, name: str) -> None:
    postgres.sql("postgres", f"DROP DATABASE {name} WITH (FORCE)")
    postgres.sql("postgres", f"ALTER DATABASE {dbname} RENAME TO {name}")


def test_one_that_was_renamed_by_hand_is_the_target_and_no_original(
    postgres_18: Postgres,
) -> None:
    name = own(postgres_18)
    postgres_18.sql("postgres", f"COMMENT ON DATABASE {name} IS 'of me'")
    pull(postgres_18, name)
    renamed_by_hand(postgres_18, kept(postgres_18, name), name)

    assert postgres_18.family(name).originals == []
    with pytest.raises(TargetError, match="no original database"):
        undo(postgres_18, name, original=True)
    pull(postgres_18, name)
    undo(postgres_18, name, original=True)

    assert word(postgres_18, name) == "mine"
    assert postgres_18.state(name).comment == "of me"


def test_a_previous_one_that_was_renamed_by_hand_is_still_a_pulled_one(
    postgres_18: Postgres,
) -> None:
    name = own(postgres_18)
    pull(postgres_18, name)
    pull(postgres_18, name)
    renamed_by_hand(postgres_18, Names(name).previous, name)

    found = postgres_18.family(name).target
    assert found
    assert not found.own
    pull(postgres_18, name)

    assert postgres_18.beside(name) == {"target", "previous", "original"}


def test_a_database_of_the_name_that_an_undo_needs_is_in_nobodys_way(
    postgres_18: Postgres,
) -> None:
    name = own(postgres_18)
    theirs = own(postgres_18, "theirs", f"{name}__dbpull_swap")
    pull(postgres_18, name)

    undo(postgres_18, name)

    assert (word(postgres_18, name), word(postgres_18, theirs)) == ("mine", "theirs")


def test_a_name_beyond_ascii_on_a_server_that_knows_no_encoding(
    postgres_18: Postgres,
) -> None:
    with served(postgres_18.folder) as server:
        options = "TEMPLATE template0 ENCODING SQL_ASCII LOCALE 'C'"
        server.sql("template1", "DROP DATABASE IF EXISTS postgres")
        server.sql("template1", f"CREATE DATABASE postgres {options}")
        name = server.database(WORD.format("mine"), name="mü", options=options)
        refuse_held_open(server.family(name).members.values(), name)

        for _ in range(2):
            pull(server, name)
        undo(server, name, original=True)

        assert word(server, name) == "mine"
