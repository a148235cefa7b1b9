"""What `db.status` finds out: in words, and as facts for the document of `--json`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from dbpull.flows import kept
from dbpull.flows.backups import holds
from dbpull.naming import command
from dbpull.sources.source import SourceBackup
from dbpull.target.provenance import Provenance
from dbpull.words import age, ago, counted, size


@dataclass(frozen=True)
class DatabaseThere:
    """The target, or a database kept beside it."""

    role: str
    """`target`, `previous`, `snapshot`, `original`."""
    name: str
    """The database's name; of a snapshot, the name that its user gave."""
    size: int | None
    """Bytes; None where this role may not know."""
    rows: Provenance | None
    """Where the rows came from; None where dbpull did not pull them."""
    since: datetime | None = None
    """When it was replaced; when a snapshot was copied."""

    def told(self) -> str:
        """The database in words."""
        how = "copied" if self.role == "snapshot" else "replaced"
        since = f", {how} {ago(self.since)}" if self.since else ""
        return f"{kept.rows_of(self.rows)}, {size(self.size)}{since}"

    def facts(self) -> dict[str, object]:
        """The database for the document of `--json`."""
        return {
            "role": self.role,
            "name": self.name,
            "bytes": self.size,
            "holds": holds(self.rows),
            "since": self.since,
        }


@dataclass(frozen=True)
class TargetStatus:
    """The target's server, as far as it may be asked without being started."""

    label: str = ""
    origin: str = ""
    databases: tuple[DatabaseThere, ...] = ()
    trouble: str = ""
    """Why nothing is known about the databases."""

    def lines(self) -> Iterator[tuple[str, str]]:
        """Lines with their labels."""
        place = f"{self.label} ({self.origin})" if self.label else ""
        if self.trouble:
            yield "target", f"{place}: {self.trouble}" if place else self.trouble
        elif not self.databases or self.databases[0].role != "target":
            yield "target", f"{place} does not exist yet"
        for each in self.databases:
            name = place if each.role == "target" else each.name
            yield each.role, f"{name}: {each.told()}"

    def facts(self) -> dict[str, object]:
        """The target for the document of `--json`."""
        return {
            "target": self.label or None,
            "databases": [each.facts() for each in self.databases],
            "trouble": self.trouble or None,
        }


@dataclass(frozen=True)
class DumpsStatus:
    """The folder of dumps."""

    folder: str
    count: int
    bytes: int
    """Bytes of all dumps, and of the parts of unfinished downloads."""
    newest: str = ""
    taken: datetime | None = None

    def told(self) -> str:
        """The folder in words."""
        found = f"{counted(self.count, 'dump')} in {self.folder}, {size(self.bytes)}"
        return f"{found}; {self.newest} is {age(self.taken)}" if self.newest else found


@dataclass(frozen=True)
class SourceStatus:
    """The source, and the newest finished backup that it lists."""

    name: str
    newest: SourceBackup | None = field(default=None, repr=False)
    trouble: str = ""
    """Why the source tells nothing."""

    def told(self) -> str:
        """The source in words."""
        name = f"{self.name}: " if self.name else ""
        if self.trouble:
            return f"{name}{self.trouble}"
        if not self.newest:
            return f"{name}no finished backup; `{command('pull')}` takes one"
        return f"{name}{self.newest.id} is the newest, {age(self.newest.taken)}"

    def facts(self) -> dict[str, object]:
        """The source for the document of `--json`."""
        newest = self.newest and {"id": self.newest.id, "taken": self.newest.taken}
        name, trouble = self.name or None, self.trouble or None
        return {"name": name, "newest": newest, "trouble": trouble}


@dataclass(frozen=True)
class EmbeddedStatus:
    """The embedded server of this project."""

    running: bool
    bytes: int
    """Bytes of its data."""

    def told(self) -> str:
        """The server in words."""
        does = "runs" if self.running else "does not run"
        told = f"the embedded PostgreSQL {does}, {size(self.bytes)}"
        return told if self.running else f"{told}; `{command('start')}` starts it"


@dataclass(frozen=True)
class Status:
    """All that is known."""

    target: TargetStatus
    dumps: DumpsStatus
    source: SourceStatus
    embedded: EmbeddedStatus | None
    """None where there is none."""

    def lines(self) -> Iterator[tuple[str, str]]:
        """Lines with their labels."""
        yield from self.target.lines()
        yield "dumps", self.dumps.told()
        yield "source", self.source.told()
        if self.embedded:
            yield "server", self.embedded.told()

    def facts(self) -> dict[str, object]:
        """All of it for the document of `--json`."""
        of_source = {"source": self.source.facts()}
        files = {"dumps": self.dumps, "embedded": self.embedded}
        return self.target.facts() | of_source | files
