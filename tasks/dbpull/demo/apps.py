"""The made-up Heroku apps of the demo: their databases, and the backups they have."""

from __future__ import annotations

from pathlib import Path

from dbpull.demo.stand_in import App, Backup, Config, Database
from dbpull.embedded import Server

PRODUCTION = "shop"
STAGING = "shop-staging-eu"
"""The apps' names; the databases behind them are called the same."""

MINUTE = 60.0
HOUR = 60 * MINUTE
DAY = 24 * HOUR

PRODUCTION_BACKUPS = (
    Backup(number=98, age=2 * DAY + 7 * HOUR, scheduled=True),
    Backup(number=99, age=DAY + 7 * HOUR, scheduled=True),
    Backup(number=100, age=20 * HOUR, status="failed"),
    Backup(number=101, age=40 * MINUTE),
)
STAGING_BACKUPS = (
    Backup(number=41, age=DAY + 3 * HOUR, scheduled=True),
    Backup(number=42, age=3 * HOUR, scheduled=True),
)


def config(server: Server, folder: Path) -> Config:
    """What the stand-in is to pretend, with real databases on that server behind it.

    Its dumps lie in `folder`, which is made.
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


def _app(server: Server, name: str, addon: str, backups: tuple[Backup, ...]) -> App:
    # Through a socket nobody listens in, and the wheel's programs don't speak TLS.
    url = f"{server.url(name)}&sslmode=disable"
    database = Database(f"postgresql-{addon}", source=server.url(name), shown_url=url)
    return App(name, databases=(database,), backups=backups)
