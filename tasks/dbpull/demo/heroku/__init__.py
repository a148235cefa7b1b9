"""A stand-in for Heroku: both APIs and the download host, on loopback.

A client, the Heroku CLI too, can list, capture, restore and download backups of a real
PostgreSQL database::

    app = AppConfig("myapp", databases=(database,))
    with StandIn.start(Config(apps=(app,))) as stand_in:
        subprocess.run([...], env=os.environ | stand_in.environment)
"""

from __future__ import annotations

from dbpull.demo.heroku.config import (
    AppConfig,
    AttachmentConfig,
    BackupConfig,
    Config,
    DatabaseConfig,
)
from dbpull.demo.heroku.process import StandIn

__all__ = [
    "AppConfig",
    "AttachmentConfig",
    "BackupConfig",
    "Config",
    "DatabaseConfig",
    "StandIn",
]
