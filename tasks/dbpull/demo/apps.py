"""The made-up Heroku apps of the demo: their databases and their backups."""

from __future__ import annotations

from pathlib import Path

from dbpull.demo.heroku import AppConfig, BackupConfig, Config, DatabaseConfig
from dbpull.embedded import Server

PRODUCTION = "shop"
STAGING = "shop-staging-eu"
"""The apps' names, and those of the databases behind the apps."""

MINUTE = 60.0
HOUR = 60 * MINUTE
DAY = 24 * HOUR

PRODUCTION_BACKUPS = (
    BackupConfig(number=98, age=2 * DAY + 7 * HOUR, scheduled=True),
    BackupConfig(number=99, age=DAY + 7 * HOUR, scheduled=True),
    BackupConfig(number=100, age=20 * HOUR, status="failed"),
    BackupConfig(number=101, age=40 * MINUTE),
)
STAGING_BACKUPS = (
    BackupConfig(number=41, age=DAY + 3 * HOUR, scheduled=True),
    BackupConfig(number=42, age=3 * HOUR, scheduled=True),
)


def config(server: Server, folder: Path) -> Config:
    """The stand-in's configuration: apps whose databases are on `server`.

    Makes `folder`, for the stand-in's dumps.
    """
    folder.mkdir(mode=0o700)
    return Config(
        apps=(
            _app(server, PRODUCTION, "curved-31415", PRODUCTION_BACKUPS),
            _app(server, STAGING, "solid-27182", STAGING_BACKUPS),
        ),
        pg_dump=str(server.programs / "pg_dump"),
        folder=str(folder),
    )


def _app(
    server: Server, name: str, addon: str, backups: tuple[BackupConfig, ...]
) -> AppConfig:
    # A Unix socket needs no TLS, and the wheel's programs don't speak it.
    url = f"{server.url(name)}&sslmode=disable"
    database = DatabaseConfig(
        f"postgresql-{addon}", source=server.url(name), shown_url=url
    )
    return AppConfig(name, databases=(database,), backups=backups)
