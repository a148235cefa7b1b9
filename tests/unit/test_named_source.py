"""Which source is meant: by alias, by text, by flag; and what its dumps are called."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from dbpull.errors import PullError
from dbpull.errors.settings import SettingsError
from dbpull.errors.sources import NoSource
from dbpull.settings import Settings
from dbpull.sources.kinds import name_of_dumps
from dbpull.sources.named import NamedSource, kind_of, named_source

SECRET = "s3cret"
FILE: dict[str, Any] = {
    "apps": {"staging": "myapp-staging-eu"},
    "sources": {
        "production": "heroku:myapp-eu",
        "vps": "ssh://deploy@example.com/myapp",
        "neon": "$(neonctl connection-string main)",
        "client1": {
            "source": f"postgres://reader:{SECRET}@db.example.com/client1",
            "target": "postgres://localhost/client1",
            "skip_data": ["audit.*"],
            "max_age": "1h",
            "tunnel": "ssh -N -L {port}:db:5432 bastion",
        },
    },
}


def named(given: dict[str, Any] | None = None, **flags: str) -> NamedSource:
    found = named_source(Settings.of(FILE | (given or {}), **flags))
    assert found
    return found


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("postgres://h/d", "live"),
        ("postgresql+psycopg://h/d", "live"),
        ("postgis://h/d", "live"),
        ("jdbc:postgresql://h/d", "live"),
        ("ssh://deploy@example.com:22/myapp", "ssh"),
        ("| kubectl exec -i web -- pg_dump -Fc $(echo x)", "command"),
        ("|pg_dump", "command"),
        ("$(neonctl connection-string main)", "printed"),
        ("$(heroku config:get DATABASE_URL)?sslmode=require", "printed"),
        ("https://backups.example.com/latest.dump", "url"),
        ("HTTP://backups.example.com/latest.dump", "url"),
        ("./latest.dump", "file"),
        ("../latest.dump", "file"),
        ("/backups/latest.dump", "file"),
        ("~/latest.dump", "file"),
        ("file:///backups/latest.dump", "file"),
        ("render:shop", "render"),
        ("dpg-abc123", "render"),
        ("heroku:myapp", "heroku"),
        ("myapp", ""),
        ("latest.dump", ""),
        ("mysql://h/d", ""),
    ],
)
def test_the_kind_is_told_by_the_text(text: str, kind: str) -> None:
    assert kind_of(text) == kind


def test_an_alias_stands_for_its_source() -> None:
    found = named(source="vps")

    assert (found.kind, found.text, found.alias) == (
        "ssh", "ssh://deploy@example.com/myapp", "vps",
    )  # fmt: skip
    assert found.origin == "--source, alias vps in db.sources"


def test_app_takes_an_alias_of_sources_too() -> None:
    assert named(app="vps").kind == "ssh"


def test_an_app_remains_an_app() -> None:
    assert named_source(Settings.of(FILE, app="staging")) is None
    assert named(source="staging").kind == "heroku"
    assert named(source="heroku:myapp").kind == "heroku"
    assert named(source="myapp-somewhere").kind == "heroku"


@pytest.mark.parametrize("word", ["prodution", "Vps", "client"])
def test_a_misspelt_alias_is_refused_with_the_nearest(word: str) -> None:
    with pytest.raises(NoSource, match=r"Did you mean (production|vps|client1)\?"):
        named(source=word)


@pytest.mark.parametrize("word", ["latest.dump", "dumps/folder", "prodution"])
def test_a_dump_named_without_its_folder_is_meant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, word: str
) -> None:
    (tmp_path / "latest.dump").touch()
    (tmp_path / "prodution").touch()
    (tmp_path / "dumps" / "folder").mkdir(parents=True)
    (tmp_path / "dumps" / "folder" / "toc.dat").touch()
    monkeypatch.chdir(tmp_path)

    with pytest.raises(NoSource, match=rf"Did you mean \./{word}\?"):
        named(source=word)


def test_a_folder_may_be_called_as_the_app_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "myapp").mkdir()
    monkeypatch.chdir(tmp_path)

    assert named(source="myapp").kind == "heroku"


@pytest.mark.parametrize(
    ("word", "what"),
    [
        ("s3://bucket/latest.dump", r"'s3://…' .*`\$\(aws s3 presign s3://…\)`"),
        ("posgres://u:p@h/d", "'posgres://…' .*is no source.* postgres://…, ssh"),
        ("x" * 5000 + ".dump", f"'{'x' * 40}'"),
    ],
)
def test_another_word_is_refused_with_what_a_source_is(word: str, what: str) -> None:
    with pytest.raises(NoSource) as caught:
        named(source=word)

    assert re.search(what, f"{caught.value.what} {caught.value.remedy}")


def test_what_is_no_source_is_refused_and_does_not_show_what_may_be_secret() -> None:
    with pytest.raises(NoSource) as caught:
        named(source=f"mysql://u:{SECRET}@h/d")

    assert SECRET not in str(caught.value)
    assert "postgres://…" in caught.value.remedy


def test_the_settings_of_an_alias_win_over_all_but_flags() -> None:
    given = FILE | {"target": "postgres://localhost/shop", "skip_data": ["a"]}
    settings = Settings.of(given, source="client1")
    assert settings.target == "postgres://localhost/client1"
    assert settings.origins["target"] == "db.sources.client1.target in invoke.yaml"
    assert settings.skip_data == ("audit.*",)
    assert settings.max_age == 3600
    assert settings.target_of_source

    flagged = Settings.of(given, source="client1", target="postgres://localhost/x")
    assert flagged.target == "postgres://localhost/x"
    assert not flagged.target_of_source
    assert Settings.of(given, source="vps").target == "postgres://localhost/shop"


def test_the_target_of_a_source_wins_over_that_of_a_host() -> None:
    hosts = {"hosts": {"devbox": {"target": "postgres://localhost/shop"}}}
    for source, target in (("client1", "client1"), ("vps", "shop")):
        settings = Settings.of(FILE | hosts, source=source)
        there = settings.for_host("devbox", home="/home/ada", cores=2)
        assert there.target == f"postgres://localhost/{target}"


def test_the_more_direct_of_source_and_app_wins() -> None:
    both = FILE | {"source": "vps", "app": "staging"}
    assert named(both).alias == "vps"
    assert named_source(Settings.of(both, app="staging")) is None
    assert named(both, source="neon").alias == "neon"
    with pytest.raises(SettingsError, match="--source and --app both"):
        Settings.of(FILE, source="vps", app="staging")


def test_no_secret_is_shown() -> None:
    settings = Settings.of(FILE, source="client1")
    found = named_source(settings)

    assert SECRET not in repr(settings) + repr(found)
    assert found
    assert found.label == "client1"
    assert named(source=f"postgres://u:{SECRET}@h:1/d?x={SECRET}").label == "h:1/d"
    within = named(source=f"postgres://h/d?user=u&password=a@{SECRET}")
    assert within.label == "h/d"


def test_the_names_of_dumps_are_readable_and_of_one_source_each() -> None:
    def name(**flags: str) -> str:
        return name_of_dumps(Settings.of(FILE, **flags)) or ""

    live = name(source=f"postgres://u:{SECRET}@db.example.com/my_app?sslmode=require")
    assert live.startswith("db-example-com-my-app--")
    assert live == name(source="postgres://v:other@db.example.com/my_app")
    assert live != name(source="postgres://v:other@db.example.com/my-app")
    assert name(source="vps").startswith("vps--")
    assert name(source="| pg_dump a") != name(source="| pg_dump b")
    assert name(app="staging") == name(source="staging") == "myapp-staging-eu"


S3 = "https://b.s3.example.com/latest.dump"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://h/get?file=a", "https://h/get?file=b", False),
        ("https://h/get?key=a&token=1", "https://h/get?key=a&token=2", True),
        (f"{S3}?X-Amz-Date=1&X-Amz-Signature=2", f"{S3}?X-Amz-Date=3", True),
        (f"{S3}?versionId=1&Expires=1&Signature=2", f"{S3}?versionId=2", False),
        ("https://h/c/d?sv=1&se=2&sr=b&sp=r&sig=x%3D", "https://h/c/d", True),
        ("https://u:p@h/d#x", "https://h/d", True),
        ("ssh://h/app?host=db1", "ssh://h/app?host=db2", False),
        ("ssh://h/app?password=1", "ssh://h/app?password=2", True),
        ("./latest.dump", "here/../latest.dump", True),
        ("./latest.dump", "../latest.dump", False),
    ],
)
def test_each_source_has_a_name_of_its_own(one: str, other: str, *, same: bool) -> None:
    one, other = (
        f"./{text}" if text.startswith("here") else text for text in (one, other)
    )
    names = {name_of_dumps(Settings.of(FILE, source=text)) for text in (one, other)}

    assert len(names) == (1 if same else 2)


def test_a_relative_path_is_another_file_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = set()
    for client in ("one", "two"):
        (tmp_path / client).mkdir()
        (tmp_path / client / "latest.dump").touch()
        monkeypatch.chdir(tmp_path / client)
        names.add(name_of_dumps(Settings.of(FILE, source="./latest.dump")))

    assert len(names) == 2


def test_what_a_command_printed_is_looked_at_again() -> None:
    printed = named(source="neon").printed("postgres://u:x@ep-1.neon.tech/main")

    assert (printed.kind, printed.alias) == ("live", "neon")
    assert printed.name_of_dumps == named(source="neon").name_of_dumps
    for nothing in ("", "Error: not logged in", "| pg_dump", "$(again)"):
        with pytest.raises(PullError, match="printed no source"):
            named(source="neon").printed(nothing)
