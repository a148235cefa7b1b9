"""A stand-in for Heroku: both APIs and the download host, on loopback.

Enough of them for a client, the Heroku CLI too, to list, capture and download backups
of a real PostgreSQL database; and it can be told to misbehave::

    with StandIn.start(Config(apps=(App("myapp", databases=(database,)),))) as stand_in:
        stand_in.misbehave(faults.cut(at=1_000_000))
        subprocess.run([...], env=os.environ | stand_in.environment)
        stand_in.requests("download")
"""

from __future__ import annotations

from dbpull.demo.stand_in import faults
from dbpull.demo.stand_in.config import App, Attachment, Backup, Config, Database
from dbpull.demo.stand_in.faults import Fault
from dbpull.demo.stand_in.process import StandIn
from dbpull.demo.stand_in.request_log import Seen, Total

__all__ = [
    "App",
    "Attachment",
    "Backup",
    "Config",
    "Database",
    "Fault",
    "Seen",
    "StandIn",
    "Total",
    "faults",
]
