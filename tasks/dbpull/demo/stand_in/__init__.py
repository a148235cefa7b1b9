"""A stand-in for Heroku: both APIs and the download host, on loopback.

Enough of them for a client, the Heroku CLI too, to list, capture, restore and download
backups of a real PostgreSQL database::

    with StandIn.start(Config(apps=(App("myapp", databases=(database,)),))) as stand_in:
        subprocess.run([...], env=os.environ | stand_in.environment)
"""

from __future__ import annotations

from dbpull.demo.stand_in.config import App, Attachment, Backup, Config, Database
from dbpull.demo.stand_in.process import StandIn

__all__ = [
    "App",
    "Attachment",
    "Backup",
    "Config",
    "Database",
    "StandIn",
]
