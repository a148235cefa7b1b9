"""A stand-in for Heroku that misbehaves as it is told, and tells what it was asked::

app = AppConfig("myapp", databases=(database,))
with StandIn.start(Config(apps=(app,))) as stand_in:
    stand_in.misbehave(faults.cut(at=1_000_000))
    subprocess.run([...], env=os.environ | stand_in.environment)
    stand_in.requests("download")
"""

from __future__ import annotations

from dbpull.demo.heroku import (
    AppConfig,
    AttachmentConfig,
    BackupConfig,
    Config,
    DatabaseConfig,
)
from faulty_stand_in import faults
from faulty_stand_in.faults import Fault
from faulty_stand_in.process import StandIn
from faulty_stand_in.request_log import Seen, Total

__all__ = [
    "AppConfig",
    "AttachmentConfig",
    "BackupConfig",
    "Config",
    "DatabaseConfig",
    "Fault",
    "Seen",
    "StandIn",
    "Total",
    "faults",
]
