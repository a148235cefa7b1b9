"""The resolver of sources: the kind of a source, by its alias or its text.

`--source`, `--app` and both tables of aliases are resolved here; nothing is asked.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from urllib.parse import unquote, urlsplit

from dbpull.errors.postgres import BadUrl
from dbpull.errors.sources import NoSource
from dbpull.errors.spelling import did_you_mean
from dbpull.naming import setting
from dbpull.postgres.scheme import TAKEN
from dbpull.project import PROJECT
from dbpull.settings import Settings
from dbpull.words import source_as_written

_KINDS = (
    ("command", re.compile(r"\|")),
    ("printed", re.compile(r".*\$\(", re.DOTALL)),
    ("heroku", re.compile(r"heroku:")),
    ("render", re.compile(r"render:|dpg-")),
    ("ssh", re.compile(r"ssh://")),
    ("url", re.compile(r"https?://", re.IGNORECASE)),
    ("file", re.compile(r"/|\./|\.\./|~|file:|\.\.?$")),
    (
        "live",
        re.compile(rf"(?:jdbc:)?(?:{'|'.join(TAKEN)})(?:\+\w+)?://", re.IGNORECASE),
    ),
)
"""Each kind of source, by the beginning of its text; the first that fits."""
_CHANGES = re.compile(
    r"(?:x-(?:amz|goog|ms|oss|cos)-|[\w.-]*(?:signature|token|expire|password)"
    r"|(?:awsaccesskeyid|googleaccessid|key-pair-id|policy)="
    r"|(?:sig|s[eiprtv]|spr|srt|ss|sk\w{1,3})=)",
    re.IGNORECASE,
)
"""Options of a URL that sign it or are secret: of S3, GCS, CloudFront, Azure, …"""
_LONGEST = 40
"""The most letters of a source's name in the names of its dumps."""


@dataclass(frozen=True)
class NamedSource:
    """A source that the settings name; nothing has been asked yet."""

    kind: str
    """`heroku`, `live`, `ssh`, `command`, `printed`, `url`, `file` or `render`."""
    text: str = field(repr=False)
    """The source as written, without its alias: may hold a password."""
    origin: str
    """Who named it: `--source`, `db.source in invoke.yaml`."""
    alias: str = ""
    name_of_dumps: str = ""
    """The source's name in the names of its dumps: `staging--3fa2c1`."""
    password: str = field(default="", repr=False)
    """The password, or `$(command)` that prints it."""
    tunnel: str = ""
    """A command with `{port}` that leads to the server."""
    live: bool = False
    """Whether the provider's database is read instead of the provider's dumps."""
    command: str = field(default="", repr=False)
    """The text with `$(…)` that printed `text`, to be asked for a fresh one."""

    def printed(self, text: str) -> NamedSource:
        """This source, whose command has printed `text`. Raises NoSource."""
        kind = kind_of(text)
        if kind in {"", "printed", "command"}:
            raise NoSource(
                f"The command of {self.label} ({self.origin}) printed no source.",
                "Let it print a URL of a database or of a dump, or a path; or begin it"
                " with | where its output is the dump.",
            )
        return replace(self, kind=kind, text=text, command=self.text)

    def printed_anew(self, text: str) -> str:
        """What the command has printed once more. Raises NoSource for another source.

        What was found out before is true of the first one.
        """
        if _exact(kind_of(text), text) != _exact(self.kind, self.text):
            raise NoSource(
                f"The command of {self.label} ({self.origin}) printed one database, and"
                " then another.",
                "Let it print the same one each time; user and password may change.",
            )
        return text

    @property
    def label(self) -> str:
        """The source in messages, without secrets: its alias, else its place."""
        return self.alias or _place(self.kind, self.text)


def named_source(settings: Settings) -> NamedSource | None:
    """The source that the settings name; None for the app of `app` or git.

    Raises NoSource.
    """
    if settings.source:
        return _resolved(settings.source, settings, settings.origins["source"])
    if settings.app and settings.app in settings.sources:
        return _resolved(settings.app, settings, settings.origins["app"])
    return None


def kind_of(text: str) -> str:
    """The kind of a source by its text; "" for a bare word."""
    return next((kind for kind, form in _KINDS if form.match(text)), "")


def _resolved(given: str, settings: Settings, origin: str) -> NamedSource:
    own = settings.sources.get(given)
    if own is None:
        return _of_text(given, settings, origin)
    origin = f"{origin}, alias {given} in {setting('sources')}"
    kind = kind_of(own["source"]) or _app_kind(own["source"], settings, origin)
    return NamedSource(
        kind,
        own["source"],
        origin,
        given,
        _name(kind, own["source"], given),
        own.get("password", ""),
        own.get("tunnel", ""),
        own.get("live", False),
    )


def _of_text(given: str, settings: Settings, origin: str) -> NamedSource:
    kind = kind_of(given) or _app_kind(given, settings, origin)
    return NamedSource(kind, given, origin, "", _name(kind, given))


def _app_kind(word: str, settings: Settings, origin: str) -> str:
    """The kind of a bare word: a Heroku app. Raises NoSource for a misspelt alias."""
    aliases = {*settings.sources, *settings.apps}
    near = "" if word in settings.apps else did_you_mean(word, aliases)
    if _is_dump(word):
        near = f"Did you mean ./{word}? "
    elif word.startswith("s3://"):
        near = "Let a command print its URL: `$(aws s3 presign s3://…)`. "
    if near or not re.fullmatch(r"[a-z0-9][a-z0-9-]*", word):
        known = f"Known: {', '.join(sorted(aliases))}. " if aliases else ""
        raise NoSource(
            f"{_shown(word)!r} ({origin}) is no source.",
            f"{near or known}A source is an alias of {setting('sources')}, heroku:APP,"
            " postgres://…, ssh://…, https://…, render:…, a path that begins with / or"
            " ./, or | and a command.",
        )
    return "heroku"


def _is_dump(word: str) -> bool:
    """Whether a word is a file's name; a folder may be called as the app is."""
    names = word, os.path.join(word, "toc.dat")  # noqa: PTH118 - Path's raise
    return any(map(os.path.isfile, names))  # where a name is too long


def _shown(word: str) -> str:
    """A word in a message; what may hold a password is cut."""
    if re.fullmatch(r"[\w.-]*", word):
        return word[:40]
    scheme = re.match(r"[a-z][a-z0-9+.-]{,15}://", word)
    return f"{scheme[0]}…" if scheme else "…"


def _name(kind: str, text: str, alias: str = "") -> str:
    """The name of a source in the names of dumps: readable, and one for each source.

    A changed password, or other options of a URL, make no other source.
    """
    slug = re.sub(r"[^a-z0-9]+", "-", (alias or _place(kind, text)).lower()).strip("-")
    return f"{slug[:_LONGEST].strip('-') or kind}--{_digest(_exact(kind, text))}"


def exactly(name: str, where: str) -> str:
    """The name of a source in the names of dumps, with where its text has led."""
    return f"{source_as_written(name)}-{_digest(where)}"


def file_path(text: str) -> Path:
    """The path of a file: of a file:// URL, too; relative to here, or the project."""
    if text.startswith("file:"):
        text = unquote(urlsplit(text).path)
    path = Path(os.path.expanduser(text))  # noqa: PTH111 - Path's raises
    here = Path.cwd() / path
    return here if here.exists() else PROJECT.folder / path


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:6]


def _exact(kind: str, text: str) -> str:
    """What tells a source from all others, without what may change or is secret."""
    if kind in {"command", "printed"}:
        return f"{kind} {text}"
    if kind == "file":
        return f"file {os.path.abspath(file_path(text))}"  # noqa: PTH100 - keeps links
    pairs = text.partition("#")[0].partition("?")[2].split("&")
    kept = [pair for pair in pairs if not _CHANGES.match(pair)]
    query = f"?{'&'.join(kept)}" if kind in {"url", "ssh"} and any(kept) else ""
    return f"{kind} {_place(kind, text)}{query}"


def _place(kind: str, text: str) -> str:
    """Where a source is, without secrets: `db.example.com/myapp`."""
    if kind in {"command", "printed"}:
        return "command"
    if kind == "file":
        return text.rstrip("/").rpartition("/")[2]
    if kind == "live":
        return _server(text)
    bare = text.partition("://")[2] or text.partition(":")[2] or text
    return bare.rpartition("@")[2].partition("?")[0].partition("#")[0]


def _server(text: str) -> str:
    """The server and the database of a URL, which may hold a password anywhere."""
    from dbpull.live import url  # an app has none

    try:
        found = url.read(text, "").connection
    except BadUrl:
        return "database"
    port = f":{found.port}" if found.port != 5432 else ""
    return f"{found.host}{port}/{found.dbname}"
