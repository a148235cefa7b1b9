"""Errors about Heroku.

- `http`: the way there: token, hosts, network, an answer that says no.
- `apps`: which app and which of its databases.
- `backups`: which backup, and taking a new one.

Text from Heroku is redacted before it gets here (see `dbpull.heroku.redact`).
"""

from __future__ import annotations

from dbpull.errors.heroku.apps import (
    AmbiguousDatabase,
    BadAppName,
    DatabaseNotReady,
    NoApp,
    NoDatabases,
    SeveralApps,
    UnknownApp,
    UnknownDatabase,
)
from dbpull.errors.heroku.backups import (
    BackupCanceled,
    BackupFailed,
    BackupGone,
    BackupStillRunning,
    BackupsUnsupported,
    CaptureCanceled,
    CaptureFailed,
    CaptureInProgress,
    CaptureInterrupted,
    CaptureLost,
    CaptureRefused,
    CaptureUnseen,
    OtherDatabase,
    UnknownBackup,
)
from dbpull.errors.heroku.http import (
    BadToken,
    HerokuDown,
    HttpError,
    MalformedToken,
    NoAccess,
    NotFound,
    NoToken,
    RateLimited,
    RefusedHost,
    RequestRefused,
    Suspended,
    TwoFactor,
    UnexpectedAnswer,
    Unreachable,
)

__all__ = [
    "AmbiguousDatabase",
    "BackupCanceled",
    "BackupFailed",
    "BackupGone",
    "BackupStillRunning",
    "BackupsUnsupported",
    "BadAppName",
    "BadToken",
    "CaptureCanceled",
    "CaptureFailed",
    "CaptureInProgress",
    "CaptureInterrupted",
    "CaptureLost",
    "CaptureRefused",
    "CaptureUnseen",
    "DatabaseNotReady",
    "HerokuDown",
    "HttpError",
    "MalformedToken",
    "NoAccess",
    "NoApp",
    "NoDatabases",
    "NoToken",
    "NotFound",
    "OtherDatabase",
    "RateLimited",
    "RefusedHost",
    "RequestRefused",
    "SeveralApps",
    "Suspended",
    "TwoFactor",
    "UnexpectedAnswer",
    "UnknownApp",
    "UnknownBackup",
    "UnknownDatabase",
    "Unreachable",
]
