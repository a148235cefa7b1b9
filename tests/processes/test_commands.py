"""Commands in a source's text: what they print takes their place, or is refused."""

from __future__ import annotations

import pytest

from dbpull.errors.sources import SourceError
from dbpull.sources import commands
from dbpull.sources.commands import expanded


@pytest.mark.parametrize(
    ("text", "becomes"),
    [
        ("postgres://shop", "postgres://shop"),
        ("$(echo ' a b ')", "a b"),
        ("$(echo a)?sslmode=$(echo require)", "a?sslmode=require"),
        ("x$(echo $(echo a; echo) \"(')\" '(' \\()y", "xa (') ( (y"),
        ("$(printf 'a\\n\\n')", "a"),
        ("$(echo ä)", "ä"),
        ("$(cat)", None),
        ("$(printf 'a\\nb')", None),
        ("$(printf '\\377')", None),
        ("$(yes)", None),
        ("a$(echo s3cret; exit 4)", None),
        ("$(echo s3cret", None),
    ],
)
def test_a_command_is_replaced_by_its_one_line(text: str, becomes: str | None) -> None:
    if becomes is not None:
        assert expanded(text) == becomes
        return
    with pytest.raises(SourceError):
        expanded(text)


def test_a_failed_command_is_named_and_its_output_is_not() -> None:
    hidden = "$(printf 's3'; printf 'cret\\n'; echo no >&2; echo such app >&2; exit 4)"
    with pytest.raises(SourceError) as raised:
        expanded(hidden)

    assert "exit 4` failed with exit code 4: no / such app." in raised.value.what
    assert "s3cret" not in str(raised.value)


@pytest.mark.parametrize("script", ["echo s3; echo cret", "printf 's3\\0cret\\377'"])
def test_what_can_be_no_source_is_not_shown(script: str) -> None:
    with pytest.raises(SourceError) as raised:
        expanded(f"$({script})")

    assert "printed" in raised.value.what
    assert str(raised.value).count("s3") == script.count("s3")


@pytest.mark.parametrize(
    "command",
    [
        "psql postgres://ada:s3cret@db/shop --token=s3cret",
        "true --password s3cret -H 'Authorization: Bearer s3cret'",
        "true -u ada:s3cret --db-password 's3cret s3cret' -uada:s3cret",
        "PGPASSWORD='s3cret s3cret' true",
    ],
)
def test_a_password_in_a_command_is_not_shown(command: str) -> None:
    with pytest.raises(SourceError) as raised:
        expanded(f"$({command}; exit 1)")

    assert "s3cret" not in str(raised.value)
    assert "left out" in str(raised.value)


def test_a_command_that_never_prints_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "PATIENCE", 0.2)

    with pytest.raises(SourceError, match="`cat; sleep 999` has not printed"):
        expanded("$(cat; sleep 999)")
