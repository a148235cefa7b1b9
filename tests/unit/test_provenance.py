"""What is written on a database, and read back."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbpull.target.provenance import (
    Keepsake,
    Provenance,
    ResetMark,
    SnapshotMark,
    is_own,
    plain,
    unfinished,
    unfinished_of,
)

PULLED = datetime(2024, 5, 1, 12, tzinfo=UTC)
TIMES = st.datetimes(timezones=st.just(UTC))


@given(st.text(), st.text(), st.none() | TIMES, TIMES, st.lists(st.text()))
def test_a_provenance_survives_being_a_comment(
    app: str, backup: str, taken: datetime | None, pulled: datetime, skipped: list[str]
) -> None:
    told = Provenance(app, backup, taken, pulled, tuple(skipped))

    comment = told.to_comment()

    assert Provenance.from_comment(comment) == told
    assert "\0" not in comment
    assert unfinished_of(comment) is None


def test_a_provenance_tells_what_was_masked() -> None:
    masked = {"columns": 3, "rules": "1f", "salt": "2e", "except": {"users": 12}}
    told = Provenance("a", "b", None, PULLED, masked=masked)

    assert Provenance.from_comment(told.to_comment()) == told
    for other in ("yes", 3, [1], None):
        comment = replace(told, masked=other).to_comment()  # type: ignore[arg-type]
        found = Provenance.from_comment(comment)
        assert found
        assert found.masked is None


def foreign() -> list[str | None]:
    whole = json.loads(Provenance("a", "b", None, PULLED).to_comment())["dbpull"]
    # Sorted: each worker must collect the same. Older versions don't tell these two.
    told = sorted(whole.keys() - {"beside_own", "masked"})
    parts = [{k: v for k, v in whole.items() if k != gone} for gone in told]
    bad = [whole | {"pulled": 3}, whole | {"taken": "yesterday"}, [], None, "x", 7]
    return [
        None, "", "my database", "{", "[]", "null", "3", '"dbpull"', "{}",
        *(json.dumps({"dbpull": told}) for told in (*parts, *bad)),
    ]  # fmt: skip


@pytest.mark.parametrize("comment", foreign())
def test_somebody_elses_comment_tells_nothing(comment: str | None) -> None:
    assert Provenance.from_comment(comment) is None
    assert unfinished_of(comment) is None


@given(st.text())
def test_an_unfinished_database_tells_its_target(target: str) -> None:
    assert unfinished_of(unfinished(target)) == target
    assert Provenance.from_comment(unfinished(target)) is None


def test_an_unfinished_mark_that_is_no_name_tells_nothing() -> None:
    assert unfinished_of('{"dbpull": {"unfinished": ["shop"]}}') is None


OLD = (
    '{"dbpull": {"app": "a", "backup": "b", "taken": null,'
    ' "pulled": "2024-05-01T12:00:00+00:00", "skipped": []}}'
)
"""As versions before `beside_own` wrote it."""


def test_marks_of_older_versions_are_read() -> None:
    assert Provenance.from_comment(OLD) == Provenance("a", "b", None, PULLED)
    inner = json.dumps(OLD)
    old = f'{{"dbpull" : {{"previous_of" : "shop", "comment" : {inner}}}}}'

    assert Keepsake.from_comment(old) == Keepsake("shop", False, OLD, None)


@pytest.mark.parametrize("comment", foreign())
def test_a_database_without_provenance_is_ones_own(comment: str | None) -> None:
    assert is_own(comment)
    assert Keepsake.from_comment(comment) is None


def test_a_pulled_database_is_not_ones_own_unless_filled_in_place() -> None:
    assert not is_own(OLD)
    told = Provenance("a", "b", None, PULLED, beside_own=True)
    assert Provenance.from_comment(told.to_comment()) == told
    assert is_own(told.to_comment())


@pytest.mark.parametrize("when", [None, 3, "yesterday", "2024-05-01T12:00:00"])
def test_a_keepsake_may_not_tell_when(when: object) -> None:
    told = {"original_of": "shop", "comment": None, "replaced": when}

    found = Keepsake.from_comment(json.dumps({"dbpull": told}))

    assert found == Keepsake("shop", True, None, None)


def kept(comment: str | None) -> str:
    """As the swap marks a replaced database."""
    told = {"previous_of": "shop", "comment": comment, "replaced": None}
    return json.dumps({"dbpull": told})


@given(st.text(), st.text(), st.none() | st.text(), TIMES)
def test_the_marks_of_copies_survive_being_comments(
    target: str, name: str, comment: str | None, when: datetime
) -> None:
    taken = SnapshotMark(target, name, comment, when, "digest")
    reset = ResetMark(name, "17", comment, when)

    assert SnapshotMark.from_comment(taken.to_comment()) == taken
    assert ResetMark.from_comment(reset.to_comment()) == reset
    assert ResetMark.from_comment(kept(reset.to_comment())) == reset
    assert SnapshotMark.from_comment(kept(taken.to_comment())) is None
    assert ResetMark.from_comment(taken.to_comment()) is None


@pytest.mark.parametrize("comment", [None, "my database", OLD])
def test_under_all_marks_is_the_comment_from_before(comment: str | None) -> None:
    reset = ResetMark("x", "17", comment, PULLED).to_comment()
    taken = SnapshotMark("shop", "x", reset, PULLED).to_comment()

    for marked in (comment, kept(comment), reset, kept(reset), taken, kept(taken)):
        assert plain(marked) == comment
        assert is_own(marked) == is_own(comment)
        assert Provenance.from_comment(marked) == Provenance.from_comment(comment)


@pytest.mark.parametrize("comment", [*foreign(), OLD, kept(None)])
def test_other_comments_are_no_copies_marks(comment: str | None) -> None:
    assert SnapshotMark.from_comment(comment) is None
    assert ResetMark.from_comment(comment) is None
