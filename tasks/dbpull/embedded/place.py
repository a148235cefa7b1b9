"""The files of a server: their layout, and their protection from other users.

::

    <folder>/                 the caller's choice, ours
        lock                  held while a process starts, stops or removes the server
        .gitignore            `*`
        elsewhere             path of the base, where it can't be this folder
    <base>/                   this folder, or a new one below /var/lib
        data/                 the cluster: 0700, its account's
        programs/             a copy, where the account can't reach the original
        server.log
        password, pg_hba.conf where the server listens on TCP
    /tmp/dbpull-<uid>-<hash of folder>/
                              the socket: 0700; a socket's path holds 103 bytes at most
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from dbpull import filelock
from dbpull.embedded.account import Account
from dbpull.errors.embedded import EmbeddedError, NotOurs, UnusableFolder

SOCKETS = Path("/tmp")  # noqa: S108 - short, and the same for every process; 0700 below
LASTING = (Path("/var/lib"), Path("/var/tmp"))  # noqa: S108 - mkdtemp's folders
IGNORE_ALL = "*\n"
PAUSE = 0.02


class ServerFiles:
    """The files of the server that belongs to `folder`."""

    def __init__(self, folder: Path, *, throwaway: bool) -> None:
        self.folder = folder.resolve()
        self._throwaway = throwaway

    @property
    def base(self) -> Path:
        """The folder of data and log: `folder`, or another to which `folder` points."""
        try:
            return Path((self.folder / "elsewhere").read_text(encoding="utf-8"))
        except FileNotFoundError:
            return self.folder
        except PermissionError:
            raise NotOurs(self.folder) from None

    @property
    def data(self) -> Path:
        """The cluster's folder."""
        return self.base / "data"

    @property
    def half_made(self) -> Path:
        """The folder in which initdb works; `data` is thus always a whole cluster."""
        return self.base / "data.new"

    @property
    def log(self) -> Path:
        """The server's log, since its last start."""
        return self.base / "server.log"

    @property
    def programs(self) -> Path:
        """The folder for a copy of the programs, where a copy is needed."""
        return self.base / "programs"

    @property
    def password(self) -> Path:
        """The file with the superuser's password, for TCP."""
        return self.base / "password"

    @property
    def rules(self) -> Path:
        """The server's pg_hba.conf, for TCP at a port that the caller has chosen."""
        return self.base / "pg_hba.conf"

    @property
    def sockets(self) -> Path:
        """The folder of the server's socket: always the same for a `folder`."""
        digest = hashlib.sha256(os.fsencode(self.folder)).hexdigest()[:12]
        return SOCKETS / f"dbpull-{os.geteuid()}-{digest}"

    @contextmanager
    def locked(self, patience: float) -> Iterator[None]:
        """Let no other process start, stop or remove this server meanwhile.

        Raises EmbeddedError after `patience` seconds.
        """
        with _worded(self.folder):
            self._make_folder()
            _refuse_unless_owned(self.folder, os.geteuid())
            if self.base.exists():
                _refuse_unless_owned(self.base, os.geteuid())
            handle = self._lock(time.monotonic() + patience, patience)
        try:
            yield
        finally:
            os.close(handle)

    def _lock(self, deadline: float, patience: float) -> int:
        path = self.folder / "lock"
        while True:
            self._make_folder()
            # Another process may remove the file, and the folder with it.
            with suppress(FileNotFoundError):
                handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
                if filelock.lock(handle) and filelock.is_still(handle, path):
                    return handle
                os.close(handle)
            if time.monotonic() > deadline:
                raise EmbeddedError(
                    "Another process has been starting or stopping the embedded server"
                    f" in {self.folder} for {patience:.0f} s.",
                    "Wait for it to end, or end it, then try again.",
                )
            time.sleep(PAUSE)

    def _make_folder(self) -> None:
        mode = 0o711 if os.geteuid() == 0 else 0o700
        self.folder.mkdir(mode=mode, parents=True, exist_ok=True)

    def prepare(self, account: Account) -> None:
        """Make the folders for a new cluster, where the account can reach them."""
        with _worded(self.folder):
            with suppress(FileExistsError), (self.folder / ".gitignore").open("x") as f:
                f.write(IGNORE_ALL)
            if not self.base.is_dir():
                (self.folder / "elsewhere").unlink()
            if account.other and not _serves(self.base, account):
                self._move_elsewhere(account)
            _remove_tree(self.half_made)

    def _move_elsewhere(self, account: Account) -> None:
        """Point to a folder that the account can enter; the folder stays ours."""
        temporary = (Path(tempfile.gettempdir()), SOCKETS, LASTING[-1])
        for parent in temporary if self._throwaway else LASTING:
            with suppress(OSError):
                base = Path(tempfile.mkdtemp(prefix="dbpull-", dir=parent))
                base.chmod(0o711)
                if _serves(base, account):
                    (self.folder / "elsewhere").write_text(str(base), encoding="utf-8")
                    return
                base.rmdir()
        raise UnusableFolder(self.folder, f"user {account.name} can't write there")

    def open_sockets(self, account: Account) -> Path:
        """The folder for the socket; made unless the account owns it already."""
        path = self.sockets
        with _worded(path):
            try:
                account.new_folder(path)
            except FileExistsError:
                _refuse_unless_owned(path, account.uid)
                if path.stat().st_mode & 0o077:
                    raise NotOurs(path) from None
        return path

    def close_sockets(self) -> None:
        """Remove the socket's folder of a server that has ended."""
        shutil.rmtree(self.sockets, ignore_errors=True)

    def remove(self) -> None:
        """Remove the server's files, and `folder` itself if it is then empty."""
        base = self.base
        self.close_sockets()
        with _worded(base):
            if self.data.exists():
                self.data.rename(self.half_made)
            _remove_tree(self.half_made)
            _remove_tree(self.programs)
            self.log.unlink(missing_ok=True)
            self.password.unlink(missing_ok=True)
            self.rules.unlink(missing_ok=True)
            if base != self.folder and base.exists():
                base.rmdir()
            self._remove_pointers()

    def _remove_pointers(self) -> None:
        ignore = self.folder / ".gitignore"
        if ignore.is_file() and ignore.read_text(encoding="utf-8") == IGNORE_ALL:
            ignore.unlink()
        (self.folder / "elsewhere").unlink(missing_ok=True)
        (self.folder / "lock").unlink(missing_ok=True)
        with suppress(OSError):
            self.folder.rmdir()


def _remove_tree(path: Path) -> None:
    if path.exists():
        shutil.rmtree(path)


def _serves(folder: Path, account: Account) -> bool:
    """Try out whether the account can own a folder inside `folder`.

    The try fails in a parent that the account may not enter, and on a file system
    without owners.
    """
    probe = Path(tempfile.mkdtemp(prefix=".probe-", dir=folder))
    try:
        account.give(probe)
        script = 'cd "$0" && : > probe && chmod 0700 .'
        tried = account.run(["/bin/sh", "-c", script, str(probe)])
        return tried.returncode == 0 and probe.stat().st_uid == account.uid
    except PermissionError:
        return False
    finally:
        shutil.rmtree(probe, ignore_errors=True)


def _refuse_unless_owned(path: Path, uid: int) -> None:
    status = path.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != uid:
        raise NotOurs(path)


@contextmanager
def _worded(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UnusableFolder(folder, error.strerror or str(error)) from None
