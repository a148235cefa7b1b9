"""The user's own commands and files of SQL, run before a swap and after it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dbpull.console import Reporter
from dbpull.errors.hooks import HookFailed, UnusableHook
from dbpull.naming import setting
from dbpull.project import PROJECT
from dbpull.redact import last_words, redacted
from dbpull.settings import Settings
from dbpull.shell import Result
from dbpull.target.opened import Target

_SQL = ".sql"
_LONGEST = 1000  # characters of a line that are shown
# Commands read nothing, and say all on stderr, where it is shown line by line.
_THERE = 'exec 1>&2; cd "${1:-.}" || exit; shift; '
# No secret may be an argument, not even of a host's: the URL comes on stdin, before the
# command.
_COMMAND = (
    "IFS= read -r DATABASE_URL; export DATABASE_URL; script=$(cat); exec </dev/null; "
    + _THERE
    + 'eval "$script"'
)
_FILE = _THERE + 'exec "$@"'
_NOT_THEIRS = {"LC_ALL", "PGAPPNAME", "PGOPTIONS", "PGCLIENTENCODING"}
"""Variables of our own programs, which read messages and are known by their name."""


@dataclass(frozen=True)
class Hooks:
    """The commands of a run."""

    target: Target
    settings: Settings
    reporter: Reporter

    def before(self, dbname: str) -> None:
        """Run those of `before_swap` on the new database. Raises HookFailed."""
        self._run("before_swap", self.settings.before_swap, dbname)

    def after(self) -> None:
        """Run those of `after_swap` on the target. Raises HookFailed."""
        dbname = self.target.connection.dbname
        self._run("after_swap", self.settings.after_swap, dbname)

    def _run(self, key: str, entries: Sequence[str], dbname: str) -> None:
        for entry in entries:
            with self.reporter.step(key, f"Running {shown(entry)}") as step:
                result = self._one(key, entry, dbname)
                if not result.ok:
                    said = last_words(self._harmless(result.err))
                    raise HookFailed(key, shown(entry), result.code, said)
                step.sentence = f"Ran {shown(entry)}"

    def _one(self, key: str, entry: str, dbname: str) -> Result:
        shell, psql = self.target.shell, self.target.psql
        connection = self.target.connection.to(dbname)
        folder = "" if shell.host else str(PROJECT.folder)
        env = connection.environment(shell.environ)
        if entry.endswith(_SQL):
            run = [psql.program, "-Xwq1", "-v", "ON_ERROR_STOP=1", "-f", "-"]
            argv, stdin = ["sh", "-c", _FILE, "sh", folder, *run], _text(key, entry)
        else:
            argv = ["sh", "-c", _COMMAND, "sh", folder]
            stdin = f"{connection.url}\n{entry}\n"
            theirs = {k: v for k, v in shell.environ.items() if k == "LC_ALL"}
            theirs["DBPULL_TARGET"] = self.target.connection.dbname  # for Django
            env = {k: v for k, v in env.items() if k not in _NOT_THEIRS} | theirs
        return shell.run(argv, env=env, stdin=stdin, on_err=self._show)

    def _show(self, line: str) -> None:
        indent = line[: len(line) - len(line.lstrip(" "))]
        told = redacted(self._harmless(line), limit=_LONGEST)
        self.reporter.say(f"  {indent}{told}".rstrip(), "dim")

    def _harmless(self, text: str) -> str:
        """What a command says, without the password that it has got from us."""
        connection = self.target.connection
        if connection.password in {"", connection.user, connection.dbname}:
            return text
        word = rf"(?<!\w){re.escape(connection.password)}(?!\w)"
        return re.sub(word, "[left out]", text)


def refuse_unusable(settings: Settings, *, in_place: bool) -> None:
    """Raise UnusableHook where a file of SQL can't be read, or nothing is swapped."""
    for key in ("before_swap", "after_swap"):
        for entry in getattr(settings, key):
            if entry.endswith(_SQL):
                _text(key, entry)
    if in_place and settings.before_swap:
        raise UnusableHook(
            f"--in-place refills the target itself, so {setting('before_swap')} has no"
            " new database.",
            f"Leave --in-place out, or write the commands into"
            f" {setting('after_swap')}.",
        )


def planned(settings: Settings, key: str) -> Iterator[str]:
    """The lines of `--dry-run` for the commands of a setting."""
    return (f"{key}: {shown(entry)}" for entry in getattr(settings, key))


def shown(entry: str) -> str:
    """A command as messages show it: in one line, without secrets."""
    return redacted(entry, limit=80)


def _text(key: str, entry: str) -> str:
    """The SQL of a file, relative to the project's folder. Raises UnusableHook."""
    origin = setting(key)
    try:
        return (PROJECT.folder / entry).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise UnusableHook(
            f"{origin} names {entry}, which can't be read: {why}.",
            f"Correct the path, which is relative to {PROJECT.folder}; a command must"
            f" not end in {_SQL}.",
        ) from None
