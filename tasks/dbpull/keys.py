"""The settings: what each is called, how its text is read, its default, its meaning."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from dbpull import values

Convert = Callable[[Any], Any]


@dataclass(frozen=True)
class Key:
    """A setting: its converter, its default, its meaning."""

    convert: Convert
    default: Any
    meaning: str
    shown: str = ""
    """The documented default, where the default is no plain value."""
    file_only: bool = False
    """Whether only a file may set it: no flag, no variable."""


KEYS: Mapping[str, Key] = {
    "app": Key(
        values.text,
        None,
        "which app to pull from: an alias of `apps`, or a name",
        "`HEROKU_APP`, then the `heroku` git remote's app",
    ),
    "apps": Key(
        values.names, {}, "short names for apps: `{staging: myapp-staging-eu}`"
    ),
    "source": Key(
        values.text,
        None,
        "where to pull from: an alias of `sources` or `apps`, or a source as in the"
        " table of providers",
        "`app`",
    ),
    "sources": Key(
        values.sources,
        {},
        "short names for sources: `{staging: ssh://deploy@example.com/myapp}`, or with"
        " settings of their own",
        file_only=True,
    ),
    "database": Key(values.text, "DATABASE_URL", "which of the app's databases"),
    "target": Key(
        values.text,
        None,
        "URL of the database to replace",
        "`DATABASE_URL`, Django's `DATABASES`, then the embedded server",
    ),
    "protected": Key(
        values.text_list,
        ("*prod*",),
        "apps that `db.push` never replaces: patterns, of names and aliases",
        "`[*prod*]`",
        file_only=True,
    ),
    "allowed_hosts": Key(
        values.text_list,
        (),
        "hosts beside this machine whose databases may be replaced",
    ),
    "path": Key(values.text, "local", "folder for dumps"),
    "max_age": Key(
        values.duration, "24h", "how old a backup may be before a new one is captured"
    ),
    "wait": Key(
        values.duration,
        "2h",
        "how long to wait for a capture, or for a source that sends nothing",
    ),
    "keep": Key(values.count, 3, "how many dumps of an app to keep"),
    "jobs": Key(values.jobs, None, "number of restore workers", "the machine's cores"),
    "connections": Key(
        values.connections, 4, "number of connections that fetch a dump"
    ),
    "skip_data": Key(
        values.text_list,
        (),
        "tables to restore without rows: `[django_session, audit.*]`",
    ),
    "mask": Key(
        values.masks,
        {},
        "columns that get other values, and their rules: `{users.email: email}`",
        file_only=True,
    ),
    "mask_except": Key(
        values.names,
        {},
        "rows that masks leave as they are: a condition for each table",
        file_only=True,
    ),
    "unmasked": Key(
        values.switch,
        "false",
        "whether `--unmasked=APP` may pull without masks; in the project's own file",
        file_only=True,
    ),
    "mask_locale": Key(
        values.text,
        None,
        "language and country of made-up names and towns: `de_DE`",
        "English",
        file_only=True,
    ),
    "mask_salt": Key(
        values.text,
        None,
        "text that decides on all made-up values; `new` for others in each pull",
        "one made once, in the folder for dumps",
    ),
    "keep_rows": Key(
        values.conditions,
        {},
        "rows of the replaced database that come along: a condition for each table, or"
        " `true`",
        file_only=True,
    ),
    "before_swap": Key(
        values.commands,
        (),
        "commands and .sql files that are run on the new database before the swap",
        file_only=True,
    ),
    "after_swap": Key(
        values.commands, (), "the same, run after the swap", file_only=True
    ),
    "tolerate": Key(
        values.text_list,
        (),
        "entries of a dump that a pull goes on without where they fail, as errors name"
        " them: `[POLICY *]`",
    ),
    "embedded_port": Key(
        values.port,
        None,
        "port of 127.0.0.1 at which the embedded server listens, too, with a password",
        "its socket alone",
    ),
    "undo": Key(values.switch, "true", "keep the replaced database for `db.undo`"),
    "keep_pulled": Key(
        values.switch,
        "false",
        "keep each pull as the snapshot `pulled`, which `db.reset` brings back",
    ),
    "hosts": Key(
        values.hosts,
        {},
        "per SSH host, for `fab -H`: `{devbox: {target: …, path: …}}`",
    ),
}
