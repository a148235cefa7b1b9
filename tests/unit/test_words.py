"""Sizes, spans and ages in words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from dbpull import words


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (None, "?"),
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (1_550, "1.6 kB"),
        (158_400_000, "158 MB"),
        (1_400_000_000, "1.4 GB"),
        (20_000_000_000, "20 GB"),
        (3_000_000_000_000, "3.0 TB"),
    ],
)
def test_sizes(count: int | None, said: str) -> None:
    assert words.size(count) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0.0 s"),
        (0.44, "0.4 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (99.4, "99 s"),
        (100, "2 min"),
        (720, "12 min"),
        (3599, "1 h 0 min"),
        (3900, "1 h 5 min"),
    ],
)
def test_spans(seconds: float, said: str) -> None:
    assert words.span(seconds) == said


@pytest.mark.parametrize(
    ("passed", "old", "ago"),
    [
        (timedelta(0), "just made", "just now"),
        (timedelta(seconds=-30), "just made", "just now"),
        (timedelta(seconds=59), "just made", "just now"),
        (timedelta(minutes=1), "1 minute old", "1 minute ago"),
        (timedelta(minutes=59), "59 minutes old", "59 minutes ago"),
        (timedelta(hours=3, minutes=59), "3 hours old", "3 hours ago"),
        (timedelta(days=1, hours=23), "1 day old", "1 day ago"),
        (timedelta(days=400), "400 days old", "400 days ago"),
    ],
)
def test_ages(
    monkeypatch: pytest.MonkeyPatch, passed: timedelta, old: str, ago: str
) -> None:
    now = datetime.now(UTC)
    monkeypatch.setattr(words, "datetime", SimpleNamespace(now=lambda _zone: now))

    assert words.age(now - passed) == old
    assert words.ago(now - passed) == ago


def test_an_unknown_age() -> None:
    assert words.age(None) == "of unknown age"


def test_names_in_a_row() -> None:
    assert words.listed(["a", "b"]) == "a, b"
    assert words.listed(tuple("abcdefg")) == "a, b, c, d, e and 2 more"
    assert words.listed(["a", "b", "c"], 1) == "a and 2 more"
    assert words.listed([]) == ""


def test_a_source_is_named_without_its_digest() -> None:
    assert words.source_label("staging--3fa2c1") == "staging"
    assert words.source_label("myapp--eu") == "myapp--eu"
