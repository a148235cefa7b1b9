"""Snapshots: which there are, which is meant, what they may be called."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from dbpull.errors.target import NameTaken, TargetError
from dbpull.flows.pulled import DECIDING, OTHERWISE, digest
from dbpull.keys import KEYS
from dbpull.masks import kept_columns
from dbpull.project import PROJECT
from dbpull.settings import Settings
from dbpull.target.family import Becomes, Family
from dbpull.target.names import Names
from dbpull.target.provenance import Provenance, ResetMark, SnapshotMark
from dbpull.target.snapshots import chosen, refuse_name, refuse_taken, snapshots

NOW = datetime(2024, 5, 1, 12, tzinfo=UTC)
NAMES = Names("shop")
OWN, PULLED = None, Provenance("myapp", "b7", None, NOW).to_comment()


def at(name: str, hour: int, *, target: str = "shop") -> str:
    when = NOW + timedelta(hours=hour)
    return SnapshotMark(target, name, OWN, when).to_comment()


def reset(oid: str, comment: str | None = OWN) -> str:
    return ResetMark("x", oid, comment, NOW).to_comment()


def family(**comments: str | None) -> Family:
    """Databases by the end of their names, with their comments; oids count from 1."""
    more = {"was": "", "size": 1, "owner": "me", "owned": True, "holders": []}
    rows = [
        {"dbname": f"shop{end}", "oid": str(oid), "comment": comment, "closed": False}
        | more
        for oid, (end, comment) in enumerate(comments.items(), 1)
    ]
    return Family.of_rows(NAMES, rows)


ORIGINAL = '{"dbpull": {"original_of": "shop", "comment": null, "replaced": null}}'
SOME = family(
    __dbpull_at_a=at("a", 1), __dbpull_at_b=at("b", 2), __dbpull_original=ORIGINAL
)


def test_the_latest_comes_first_and_originals_last() -> None:
    assert [each.name for each in snapshots(SOME)] == ["b", "a", "original"]


@pytest.mark.parametrize(
    "comments",
    [
        {"__dbpull_at_a": None},
        {"__dbpull_at_a": at("b", 1)},
        {"__dbpull_at_a": at("a", 1, target="other")},
        {"_renamed": at("a", 1)},
        {"__dbpull_at_a": reset("17")},
    ],
)
def test_what_only_looks_like_a_snapshot_is_none(
    comments: dict[str, str | None],
) -> None:
    assert snapshots(family(**comments)) == []


@pytest.mark.parametrize(
    ("name", "found"), [(None, "b"), ("a", "a"), ("original", "original")]
)
def test_a_snapshot_is_chosen(name: str | None, found: str) -> None:
    assert chosen(SOME, name, "shop").name == found


@pytest.mark.parametrize(
    ("there", "name", "message"),
    [
        (SOME, "c", "no snapshot c of shop.*There are: b, a, original"),
        (SOME, "orignal", "Did you mean original"),
        (family(), None, "no snapshot of shop.*takes one"),
        (family(__dbpull_original=ORIGINAL), None, "copied: --to=original"),
    ],
)
def test_a_snapshot_that_is_not_there_is_refused(
    there: Family, name: str | None, message: str
) -> None:
    with pytest.raises(TargetError, match=f"(?s){message}"):
        chosen(there, name, "shop")


@pytest.mark.parametrize(
    ("name", "fits"),
    [
        *(("before-migration", True), ("A_1", True), ("x" * 30, True), ("7", True)),
        *(("x" * 31, False), ("", False), ("-x", False), ("a b", False), ("ä", False)),
        *(("pulled", False), ("previous", False), ("original_2", False)),
        *(("x\n", False), ("a/b", False)),
    ],
)
def test_what_a_snapshot_may_be_called(name: str, *, fits: bool) -> None:
    if fits:
        refuse_name(name)
        return
    with pytest.raises(TargetError, match="can't be called"):
        refuse_name(name)


def test_a_name_that_is_taken_is_refused() -> None:
    with pytest.raises(TargetError, match="a snapshot a of shop already"):
        refuse_taken(SOME, "a", "shop")
    with pytest.raises(NameTaken):
        refuse_taken(family(__dbpull_at_a="mine"), "a", "shop")
    refuse_taken(SOME, "c", "shop")


@pytest.mark.parametrize(
    ("target", "becomes"),
    [
        (OWN, Becomes.ORIGINAL),
        (PULLED, Becomes.PREVIOUS),
        (reset("2"), Becomes.PREVIOUS),
        (reset("17"), Becomes.ORIGINAL),
        (reset("17", PULLED), Becomes.PREVIOUS),
    ],
    ids=["own", "pulled", "copy", "copy whose snapshot is gone", "copy of a pull"],
)
def test_ones_own_rows_are_kept_unless_a_snapshot_has_them(
    target: str | None, becomes: Becomes
) -> None:
    there = family(**{"": target, "__dbpull_at_a": at("a", 1)})

    [move] = there.to_new(keep=True)

    assert move.becomes is becomes


ELSEWHERE = {
    "app", "apps", "source", "sources", "database", "target", "protected",
    "allowed_hosts", "path", "max_age", "wait", "keep", "jobs", "connections", "undo",
    "keep_pulled", "unmasked", "embedded_port", "hosts",
}  # fmt: skip
"""Settings that make no difference to what is in a database pulled from one dump."""


def test_each_setting_is_judged_by_what_it_does_to_a_pulled_database() -> None:
    assert set(KEYS) == {*DECIDING, *OTHERWISE, "mask_salt", *ELSEWHERE}


def digest_of(folder: Path, **section: Any) -> str:
    return digest(Settings.of({"path": str(folder), **section}))


@pytest.mark.parametrize(
    ("section", "same"),
    [
        ({}, True),
        ({"jobs": 7, "keep": 1}, True),
        ({"skip_data": "audit.*"}, False),
        ({"tolerate": ["VIEW old"]}, False),
        ({"mask": {"phone": "phone"}}, False),
        ({"mask": {"email": "email"}, "mask_salt": "of the team"}, False),
        ({"mask": {"email": "email"}, "mask_except": {"users": "admin"}}, False),
    ],
)
def test_a_pull_with_other_rows_has_another_digest(
    section: dict[str, Any], *, same: bool, tmp_path: Path
) -> None:
    masked = {"mask": {"email": "email"}}

    found = digest_of(tmp_path, **masked | section)

    assert found
    assert (found == digest_of(tmp_path, **masked)) == same


def test_a_masked_pull_with_other_kept_columns_has_another_digest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PROJECT, "folder", tmp_path)
    masked, name = {"mask": {"email": "email"}}, ("public", "users", "nick")
    found = [digest_of(tmp_path, **masked), digest_of(tmp_path)]

    kept_columns.write(tmp_path, {name: ("text", True)})
    found += [digest_of(tmp_path, **masked), digest_of(tmp_path)]
    kept_columns.write(tmp_path, {name: ("text", False)})
    found += [digest_of(tmp_path, **masked)]

    assert len({found[0], found[2], found[4]}) == 3
    assert found[1] == found[3], "they are for masked pulls"


@pytest.mark.parametrize(
    "section",
    [
        {"mask": {"email": "email"}, "mask_salt": "new"},
        {"keep_rows": {"users": True}},
        {"before_swap": ["./manage.py migrate"]},
        {"after_swap": ["./manage.py migrate"]},
    ],
)
def test_a_pull_that_is_another_each_time_has_no_digest(
    section: dict[str, Any], tmp_path: Path
) -> None:
    assert digest_of(tmp_path, **section) == ""
