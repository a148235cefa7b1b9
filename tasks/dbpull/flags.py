"""What each flag means, wherever it is typed."""

from __future__ import annotations

HELP = {
    "app": "Heroku app: an alias of db.apps, or a name.",
    "backup": "Backup to use (b101); else the newest of the database.",
    "capture": "Take a new backup even where a young one is there.",
    "connections": "Download connections.",
    "database": "Which of the app's databases (DATABASE_URL).",
    "delete": "Remove the dump afterwards.",
    "dry_run": "Tell what would be done, with every command; do nothing.",
    "dump": "Dump to restore; else the newest that is here.",
    "in_place": "Refill the target itself, for a role that can't create databases.",
    "jobs": "Restore workers.",
    "keep": "How many dumps of an app stay.",
    "max_age": "How old a backup may be before a new one is captured (24h).",
    "path": "Folder where dumps lie.",
    "skip_data": "Tables whose rows are not wanted (django_session,audit.*).",
    "target": "URL of the database to replace.",
    "timings": "Draw what ran when, and name what took longest.",
    "upload": "Fetch the dump here and send it, for hosts without internet (fab -H).",
    "wait": "How long to wait for a capture (2h).",
}
