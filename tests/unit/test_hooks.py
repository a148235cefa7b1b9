"""Commands around the swap: what is refused before, and how they are shown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dbpull.errors import PullError
from dbpull.flows import additions, hooks
from dbpull.project import PROJECT
from dbpull.settings import Settings

REFUSED: list[tuple[dict[str, Any], bool, str, str]] = [
    (
        {"before_swap": ["gone.sql"]},
        False,
        "before_swap names gone.sql, .* No such",
        "/",
    ),
    ({"after_swap": ["echo", "latin.sql"]}, False, "latin.sql, .* not UTF-8", "/"),
    ({"before_swap": "./manage.py"}, True, "--in-place", "after_swap"),
    ({"keep_rows": {"users": True}}, True, "--in-place", "Leave --in-place out"),
]


@pytest.mark.parametrize(("given", "in_place", "cause", "remedy"), REFUSED)
def test_what_can_not_be_run_is_refused_before_anything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: dict[str, Any],
    in_place: bool, cause: str, remedy: str,
) -> None:  # fmt: skip
    monkeypatch.setattr(PROJECT, "folder", tmp_path)
    (tmp_path / "latin.sql").write_bytes("SELECT 'ü'".encode("latin-1"))

    with pytest.raises(PullError, match=cause) as told:
        additions.refuse_impossible(Settings.of(given), in_place=in_place)

    assert remedy in told.value.remedy


def test_commands_after_the_rows_of_an_in_place_pull_are_fine() -> None:
    additions.refuse_impossible(Settings.of({"after_swap": "echo"}), in_place=True)


def test_a_plan_lists_rows_and_commands_without_secrets_and_conditions() -> None:
    given = {
        "keep_rows": {"users": "email = 'me@shop'", "flags": True},
        "before_swap": ["dev.sql", "psql postgres://me:s3cret@h/d\n"],
        "after_swap": f"curl -u me:s3cret {'x' * 100}",
    }
    settings = Settings.of(given)

    assert additions.planned(settings, "shop") == [
        "psql: rows of users, flags are taken from shop",
        "before_swap: dev.sql",
        "before_swap: psql [URL left out]",
    ]
    [after] = hooks.planned(settings, "after_swap")
    assert after.startswith("after_swap: curl -u me:[left out] xxx")
    assert after.endswith("x…")


def test_a_source_may_have_rows_and_commands_of_its_own() -> None:
    own = {"source": "heroku:a", "keep_rows": {"t": True}, "after_swap": "echo a"}
    settings = Settings.of({"sources": {"a": own}, "after_swap": "b"}, source="a")

    assert settings.keep_rows == {"t": "true"}
    assert settings.after_swap == ("echo a",)
    assert settings.before_swap == ()
