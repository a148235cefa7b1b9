"""The account that runs PostgreSQL: ours; for root, another user's."""

from __future__ import annotations

import os
import pwd
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

from dbpull.errors.embedded import EmbeddedError, NotOurs

OTHER_USERS = ("postgres", "nobody")
KEPT_VARIABLES = ("PATH", "LD_LIBRARY_PATH", "TZ")


@dataclass(frozen=True)
class Account:
    """A user of this machine; `other`: not the user of this process."""

    name: str
    uid: int
    gid: int
    other: bool

    def run(
        self, argv: Sequence[str], stdin: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """Run a program to its end, as this account.

        Raises EmbeddedError, and OSError where the program can't be executed.
        """
        with self._changing_user(argv[0]):
            return subprocess.run(
                list(argv),
                check=False,
                input=stdin,
                capture_output=True,
                encoding="utf-8",
                errors="replace",
                **self._options(),
            )

    def start(self, argv: Sequence[str], log: IO[bytes]) -> subprocess.Popen[bytes]:
        """Start a program that outlives this process and gets no Ctrl-C; see `run`."""
        with self._changing_user(argv[0]):
            return subprocess.Popen(
                list(argv),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                **self._options(),
            )

    def try_out(self) -> None:
        """Raise EmbeddedError where this process may not become this account."""
        self.run(["/bin/sh", "-c", ":"])

    def new_folder(self, path: Path) -> None:
        """Make a folder that only this account can enter (0700); its parent is ours."""
        path.mkdir(mode=0o700)
        self.give(path)

    def give(self, path: Path) -> None:
        """Make this account the owner of one of our files."""
        if self.other:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)

    @contextmanager
    def _changing_user(self, program: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            # The child reports both failures alike; only execve names the program.
            if self.other and error.filename != program:
                cause = error.strerror or str(error)
                raise EmbeddedError(
                    "PostgreSQL does not run as root, and this process may not start it"
                    f" as user {self.name} ({cause}).",
                    "Run dbpull as an ordinary user, or allow the container to change"
                    " users (SETUID and SETGID), or name a server of your own with"
                    " --target.",
                ) from None
            raise

    def _options(self) -> dict[str, Any]:
        """The options of subprocess that `run` and `start` share.

        The environment is almost empty: PG* variables would change the server's
        behaviour, and other variables may hold secrets.
        """
        kept = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}
        options: dict[str, Any] = {"cwd": "/", "umask": 0o077}
        options["env"] = {**kept, "LC_ALL": "C"}
        if self.other:
            options.update(user=self.uid, group=self.gid, extra_groups=[])
        return options


def ourselves() -> Account:
    """The account that this process runs as."""
    return replace(_user(os.geteuid()), gid=os.getegid(), other=False)


def account_for(data: Path) -> Account:
    """The account that may run a server on a data folder, which may not exist yet.

    Raises NotOurs where the folder belongs to another user, and EmbeddedError where we
    are root on a machine without any of OTHER_USERS.
    """
    owner = _owner(data)
    if os.geteuid() != 0:
        if owner not in (None, os.geteuid()):
            raise NotOurs(data)
        return ourselves()
    if owner == 0:
        raise NotOurs(data)
    return _another_user() if owner is None else _user(owner)


def _owner(path: Path) -> int | None:
    try:
        return path.lstat().st_uid
    except FileNotFoundError:
        return None
    except PermissionError:
        raise NotOurs(path.parent) from None


def _another_user() -> Account:
    for name in OTHER_USERS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name, entry.pw_uid, entry.pw_gid, other=True)
    raise EmbeddedError(
        "PostgreSQL does not run as root, and this machine has no user"
        f" {' or '.join(OTHER_USERS)}.",
        "Run dbpull as an ordinary user, or add one: useradd --system postgres.",
    )


def _user(uid: int) -> Account:
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:
        return Account(str(uid), uid, uid, other=True)
    return Account(entry.pw_name, uid, entry.pw_gid, other=True)
