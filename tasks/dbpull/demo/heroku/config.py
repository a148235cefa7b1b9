"""The configuration of a stand-in for Heroku: apps, databases and backups.

A frozen tree of dataclasses. It reaches the stand-in's process as a line of JSON on
standard input, since it holds secrets: the databases' URLs and the token.

A fresh app with a database and a finished backup of that database::

    Config(
        apps=(
            AppConfig(
                "myapp",
                databases=(DatabaseConfig("postgresql-curved-1", source=url),),
                backups=(BackupConfig(age=3600),),
            ),
        ),
    )
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from secrets import token_hex
from typing import Any

STATUSES = ("finished", "failed", "canceled", "running", "pending")


@dataclass(frozen=True)
class DatabaseConfig:
    """A Heroku Postgres add-on, owned (billed) by the app that lists the add-on."""

    name: str
    """The add-on's name, as `postgresql-curved-12345`."""
    source: str = field(repr=False)
    """URL of the real PostgreSQL database that is dumped."""
    plan: str = "heroku-postgresql:standard-0"
    shown_url: str = field(default="", repr=False)
    """The URL in Heroku's answers; made from `source` where empty."""


@dataclass(frozen=True)
class AttachmentConfig:
    """An app's name for a database, its own or another app's."""

    name: str
    """As `DATABASE` or `HEROKU_POSTGRESQL_RED`; `<name>_URL` is the config var."""
    database: str
    """The add-on's name."""


@dataclass(frozen=True)
class BackupConfig:
    """A backup that exists from the start."""

    age: float = 3600.0
    """The backup's age, in seconds."""
    status: str = "finished"
    """One of `STATUSES`."""
    database: str = ""
    """The add-on's name; where empty, the app's first add-on."""
    scheduled: bool = False
    number: int = 0
    """101 for b101; the next free number where 0."""
    dump: str = ""
    """The path of the file to serve; where empty, pg_dump makes the dump."""

    def __post_init__(self) -> None:
        if self.status not in STATUSES:
            raise ValueError(f"{self.status!r} is no backup's status: {STATUSES}")


@dataclass(frozen=True)
class AppConfig:
    """A Heroku app. Without attachments its databases are DATABASE, then colours."""

    name: str
    databases: tuple[DatabaseConfig, ...] = ()
    attachments: tuple[AttachmentConfig, ...] = ()
    config_vars: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Config vars besides those of the attachments."""
    backups: tuple[BackupConfig, ...] = ()


@dataclass(frozen=True)
class Config:
    """The whole configuration of a stand-in."""

    apps: tuple[AppConfig, ...]
    token: str = field(default_factory=token_hex, repr=False)
    """The token that the APIs accept; random unless given."""
    pg_dump: str = "pg_dump"
    """The pg_dump for captures; `psql` is looked for in the same folder."""
    folder: str = ""
    """The lasting folder of dumps and the CA's certificate; where empty, a temporary
    folder, removed with the stand-in."""
    dump_at_start: bool = True
    """False: configured backups are dumped when their URL is first asked for."""
    progress_every: float = 5.0
    """How far `processed_bytes` lags behind, in seconds."""


def to_json(config: Config) -> str:
    """The configuration on one line. It holds secrets."""
    return json.dumps(asdict(config))


def from_json(text: str) -> Config:
    """The configuration that `to_json` wrote."""
    data: dict[str, Any] = json.loads(text)
    data["apps"] = tuple(_app(app) for app in data["apps"])
    return Config(**data)


def _app(data: dict[str, Any]) -> AppConfig:
    data["databases"] = tuple(DatabaseConfig(**item) for item in data["databases"])
    data["attachments"] = tuple(
        AttachmentConfig(**item) for item in data["attachments"]
    )
    data["backups"] = tuple(BackupConfig(**item) for item in data["backups"])
    return AppConfig(**data)
