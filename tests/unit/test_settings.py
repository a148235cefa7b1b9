"""Where each setting comes from, and what is refused."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import pytest

from dbpull.errors.settings import (
    EmptyValue,
    ImpossibleValue,
    OnlyInFile,
    SettingsError,
    UnknownSetting,
)
from dbpull.keys import KEYS
from dbpull.project import PROJECT
from dbpull.settings import Settings

URL = "postgres://me:s3cret@{}/shop"
PLACES = ("flag", "environment", ".env", "invoke.yaml")
# For each kind of setting: how each place writes a value of its own, and what is read.
WAYS: dict[str, dict[str, tuple[Any, object]]] = {
    "app": {place: (place, place) for place in PLACES},
    "database": {place: (place, place) for place in PLACES},
    "target": {place: (URL.format(place), URL.format(place)) for place in PLACES},
    "keep": {
        "flag": ("5", 5),
        "environment": ("6", 6),
        ".env": ("7", 7),
        "invoke.yaml": (8, 8),
    },
    "jobs": {
        "flag": ("5", 5),
        "environment": ("6", 6),
        ".env": ("7", 7),
        "invoke.yaml": (8, 8),
    },
    "max_age": {
        "flag": ("1h", 3600.0),
        "environment": ("2h", 7200.0),
        ".env": ("0", 0.0),
        "invoke.yaml": ("1d", 86400.0),
    },
    "skip_data": {
        "flag": ("a,b", ("a", "b")),
        "environment": ("c", ("c",)),
        ".env": ("d, e", ("d", "e")),
        "invoke.yaml": (["f"], ("f",)),
    },
    "tolerate": {
        "flag": ("POLICY *,VIEW a", ("POLICY *", "VIEW a")),
        "environment": ("c", ("c",)),
        ".env": ("d, e", ("d", "e")),
        "invoke.yaml": (["FUNCTION f(int, text)"], ("FUNCTION f(int, text)",)),
    },
    "undo": {
        "flag": ("no", False),
        "environment": ("yes", True),
        ".env": ("off", False),
        "invoke.yaml": (False, False),
    },
    "apps": {
        "flag": ("s=a", {"s": "a"}),
        "environment": ("s=b", {"s": "b"}),
        ".env": ("s=c", {"s": "c"}),
        "invoke.yaml": ({"s": "d"}, {"s": "d"}),
    },
}
DEFAULTS: dict[str, object] = {
    "app": None, "database": "DATABASE_URL", "target": None, "keep": 3,
    "max_age": 86400.0, "skip_data": (), "tolerate": (), "undo": True, "apps": {},
}  # fmt: skip


def gather(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    environ: dict[str, str],
    env_file: dict[str, str],
    section: object = None,
    **flags: str | None,
) -> Settings:
    """The settings of a project with these variables, this .env and this section."""
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    # So that whatever loading adds is taken away again.
    for name in env_file.keys() - environ.keys():
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    lines = [f"{name}='{value}'\n" for name, value in env_file.items()]
    (tmp_path / ".env").write_text("".join(lines), encoding="utf-8")
    PROJECT.load(tmp_path)
    return Settings.of(section, **flags)


@pytest.mark.parametrize("key", WAYS)
@pytest.mark.parametrize("given", list(product([True, False], repeat=4)))
def test_flag_beats_variable_beats_env_file_beats_yaml_beats_default(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    key: str,
    given: tuple[bool, ...],
) -> None:
    ways = {
        place: WAYS[key][place] for place, on in zip(PLACES, given, strict=True) if on
    }
    written = {place: value for place, (value, _) in ways.items()}
    variable = f"INVOKE_DB_{key.upper()}"

    settings = gather(
        tmp_path,
        monkeypatch,
        {variable: written["environment"]} if "environment" in written else {},
        {variable: written[".env"]} if ".env" in written else {},
        {key: written["invoke.yaml"]} if "invoke.yaml" in written else {},
        **{key: written.get("flag")},
    )

    origins = {
        "flag": "--" + key.replace("_", "-"),
        "environment": variable,
        ".env": f"{variable} in .env",
        "invoke.yaml": f"db.{key} in invoke.yaml",
    }
    winner = next(iter(ways), None)
    if winner is None:
        assert settings.origins[key] == "default"
        assert key == "jobs" or getattr(settings, key) == DEFAULTS[key]
    else:
        assert settings.origins[key] == origins[winner]
        assert getattr(settings, key) == ways[winner][1]


@pytest.mark.parametrize("given", list(product([True, False], repeat=4)))
def test_database_url_stands_between_the_targets_variable_and_yaml(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: tuple[bool, ...]
) -> None:
    flag, variable, real, in_file = given

    settings = (
        gather(
            tmp_path,
            monkeypatch,
            {"DATABASE_URL": "postgres://real/x"} if real else {},
            {"DATABASE_URL": "postgres://file/x"} if in_file else {},
            {"target": "postgres://yaml/x"},
            target="postgres://flag/x" if flag else None,
        )
        if not variable
        else gather(
            tmp_path,
            monkeypatch,
            {"INVOKE_DB_TARGET": "postgres://variable/x"}
            | ({"DATABASE_URL": "postgres://real/x"} if real else {}),
            {"DATABASE_URL": "postgres://file/x"} if in_file else {},
            {"target": "postgres://yaml/x"},
            target="postgres://flag/x" if flag else None,
        )
    )

    expected = (
        ("flag", "--target") if flag
        else ("variable", "INVOKE_DB_TARGET") if variable
        else ("real", "DATABASE_URL") if real
        else ("file", "DATABASE_URL in .env") if in_file
        else ("yaml", "db.target in invoke.yaml")
    )  # fmt: skip
    assert settings.target == f"postgres://{expected[0]}/x"
    assert settings.origins["target"] == expected[1]


def test_an_empty_variable_counts_as_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = {"INVOKE_DB_KEEP": "", "INVOKE_DB_APP": "", "DATABASE_URL": ""}

    settings = gather(tmp_path, monkeypatch, empty, {}, {"keep": 9, "target": "t"})

    assert (settings.keep, settings.app, settings.target) == (9, None, "t")


def test_yaml_keys_without_a_value_count_as_none() -> None:
    settings = Settings.of({"keep": None, "app": None, "skip_data": None})

    assert (settings.keep, settings.app, settings.skip_data) == (3, None, ())


def test_a_path_is_relative_to_the_project_and_may_start_at_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    PROJECT.load(tmp_path)

    assert Settings.of(None).path == tmp_path / "local"
    assert Settings.of({"path": "a/b"}).path == tmp_path / "a/b"
    assert Settings.of({"path": "/srv/x"}).path == Path("/srv/x")
    assert Settings.of({"path": "~/x"}).path == Path("/home/me/x")


# Refused


def test_an_unknown_key_is_named_with_the_one_that_was_meant() -> None:
    with pytest.raises(UnknownSetting) as caught:
        Settings.of({"skip_tables": [], "keep": 3})
    assert "db in invoke.yaml has skip_tables" in str(caught.value)

    with pytest.raises(UnknownSetting, match="Did you mean max_age"):
        Settings.of({"max-age": "1h"})
    with pytest.raises(
        UnknownSetting, match=r"Known: after_swap, allowed_hosts, app, apps"
    ):
        Settings.of({1: "x"})


def test_an_unknown_variable_is_named_with_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UnknownSetting) as caught:
        gather(tmp_path, monkeypatch, {"INVOKE_DB_KEPT": "3"}, {})
    assert "the environment has INVOKE_DB_KEPT" in str(caught.value)
    assert "Did you mean INVOKE_DB_KEEP?" in str(caught.value)


def test_an_unknown_variable_of_the_env_file_is_named_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UnknownSetting, match=r"^\.env has INVOKE_DB_JOB,"):
        gather(tmp_path, monkeypatch, {}, {"INVOKE_DB_JOB": "3"})


BAD: dict[str, Any] = {
    "app": [], "apps": "staging", "database": {}, "target": ["postgres://me:s3cret@h/d"],
    "allowed_hosts": 7, "path": [], "max_age": "old", "wait": "24", "keep": "some",
    "jobs": 0, "connections": 99, "skip_data": {"a": 1}, "undo": "perhaps",
    "embedded_port": 80, "keep_pulled": "perhaps",
    "protected": 7, "tolerate": 7, "source": ["postgres://me:s3cret@h/d"],
    "sources": {"shop": {"source": "postgres://me:s3cret@h/d", "hot": True}},
    "mask": ["s3cret"], "mask_except": 7, "mask_locale": [], "mask_salt": ["s3cret"],
    "keep_rows": {"users": ["s3cret"]}, "before_swap": {"s3cret": 1}, "after_swap": 7,
    "unmasked": "perhaps",
    "hosts": {"devbox": {"target": "postgres://me:s3cret@h/d", "port": 1}},
}  # fmt: skip


def test_there_is_an_impossible_value_for_each_setting() -> None:
    assert BAD.keys() == KEYS.keys()


@pytest.mark.parametrize("key", BAD)
def test_an_impossible_value_is_told_with_its_place_and_what_is_wanted(
    key: str,
) -> None:
    with pytest.raises(ImpossibleValue) as caught:
        Settings.of({key: BAD[key]})

    told = str(caught.value)
    assert told.startswith(f"db.{key} in invoke.yaml is ")
    assert "which is not" in told
    assert "s3cret" not in told
    assert caught.value.code == 1


@pytest.mark.parametrize(
    ("key", "wanted"),
    [
        ("keep", "whole number from 1"),
        ("jobs", "1 to 64"),
        ("connections", "1 to 16"),
    ],
)
def test_the_remedy_says_what_is_possible(key: str, wanted: str) -> None:
    with pytest.raises(ImpossibleValue) as caught:
        Settings.of({key: BAD[key]})

    assert wanted in caught.value.remedy


@pytest.mark.parametrize("key", ["app", "database", "target"])
def test_an_empty_value_is_told_as_such(key: str) -> None:
    with pytest.raises(EmptyValue, match=f"^db.{key} in invoke.yaml is empty"):
        Settings.of({key: " "})


@pytest.mark.parametrize(
    ("key", "value"),
    [("keep", "some"), ("max_age", "1"), ("undo", "x"), ("apps", "x"), ("hosts", "x")],
)
def test_an_impossible_value_names_the_variable_and_the_flag(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str, value: str
) -> None:
    with pytest.raises(ImpossibleValue, match=f"^--{key.replace('_', '-')} is "):
        Settings.of({}, **{key: value})
    variable = f"INVOKE_DB_{key.upper()}"
    with pytest.raises(ImpossibleValue, match=rf"^{variable} in \.env is "):
        gather(tmp_path, monkeypatch, {}, {variable: value})


@pytest.mark.parametrize("section", ["postgres://me:s3cret@h/d", ["ab"], 3, True])
def test_a_section_that_is_no_mapping_is_refused(section: object) -> None:
    with pytest.raises(SettingsError, match=r"^db in invoke.yaml is .* not a mapping"):
        Settings.of(section)


def test_settings_shown_somewhere_hold_no_password() -> None:
    url = "postgres://me:s3cret@h/d"

    shown = repr(Settings.of({"target": url, "hosts": {"devbox": {"target": url}}}))

    assert "s3cret" not in shown


# On a host


HOSTS = {"devbox": {"target": "postgres://localhost/theirs", "path": "~/dumps"}}


def there(section: dict[str, Any], host: str = "devbox", **flags: str) -> Settings:
    settings = Settings.of({"hosts": HOSTS, **section}, **flags)
    return settings.for_host(host, home="/home/ann", cores=4)


def test_a_hosts_own_target_beats_all_but_the_flag(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gather(tmp_path, monkeypatch, {"INVOKE_DB_TARGET": "t", "DATABASE_URL": "d"}, {})

    mine = there({"target": "postgres://yaml/x"})
    others = there({"target": "postgres://yaml/x"}, host="ci")
    flag = there({}, target="postgres://flag/x")

    assert mine.target == "postgres://localhost/theirs"
    assert mine.origins["target"] == "db.hosts.devbox.target in invoke.yaml"
    assert (others.target, others.origins["target"]) == ("t", "INVOKE_DB_TARGET")
    assert (flag.target, flag.origins["target"]) == ("postgres://flag/x", "--target")


@pytest.mark.parametrize(
    ("host", "flags", "path"),
    [
        ("devbox", {}, "/home/ann/dumps"),
        ("ci", {}, "/home/ann/.dbpull/dumps"),
        ("devbox", {"path": "some/where"}, "/home/ann/some/where"),
        ("devbox", {"path": "/srv/x"}, "/srv/x"),
    ],
)
def test_a_path_on_a_host_is_relative_to_the_users_folder(
    tmp_path: Path, host: str, flags: dict[str, str], path: str
) -> None:
    PROJECT.load(tmp_path)

    # The project's own folder is not the host's.
    assert there({"path": "mine"}, host, **flags).path == Path(path)


def test_workers_are_the_hosts_cores_unless_somebody_said_how_many() -> None:
    assert there({}).jobs == 4
    assert there({"jobs": 2}).jobs == 2
    assert there({}, jobs="3").jobs == 3
    assert Settings.of({}).for_host("x", home="/", cores=128).jobs == 16


def test_what_holds_here_is_not_forgotten_there() -> None:
    settings = Settings.of({"hosts": HOSTS, "keep": 9})

    on_host = settings.for_host("devbox", home="/home/ann", cores=4)

    assert on_host.local is settings
    assert on_host.keep == 9
    assert settings.origins["target"] == "default"


@pytest.mark.parametrize("from_file", [True, False])
def test_what_only_the_file_may_say_is_refused_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, from_file: bool
) -> None:
    variables = {"INVOKE_DB_PROTECTED": "nothing"}
    environment = ({}, variables) if from_file else (variables, {})

    with pytest.raises(OnlyInFile, match=r"only be set in invoke\.yaml") as caught:
        gather(tmp_path, monkeypatch, *environment)

    assert (".env" in str(caught.value)) is from_file
