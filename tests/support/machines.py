"""Machines reached over SSH: a real sshd for each, here, with a home of its own.

The conftest offers the fixtures by `pytest_plugins`. All the machines share this one's
kernel and files; each has a home, a PATH, a port, keys and a log of its own, and a mark
in the environment of whatever runs on it, by which its processes are found.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import pytest

from databases import FOLDERS, NO_OLD, OLD
from lacking import LINUX, need, need_mounts, path_of
from ports import free_port
from projects import Ended, Project, Run, pids
from worlds import World

MARK = "DBPULL_TEST_HOST"
LOOPBACK = "127.0.0.1"
SSHD = path_of("sshd")
SFTP = shutil.which(
    "sftp-server",
    path="/usr/lib/openssh:/usr/libexec/openssh:/usr/lib/ssh:/usr/libexec",
)
"""Where distributions have it. internal-sftp can't be had behind a forced command."""
SYSTEM = (Path("/usr/bin"), Path("/bin"))
PATIENCE = 20.0

# One SetEnv: of several lines sshd takes the first. What comes first wins.
CONFIG = """\
{more}
Port {port}
ListenAddress {address}
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/user_key.pub
PidFile none
LogLevel VERBOSE
UsePAM no
UseDNS no
StrictModes no
PermitRootLogin yes
PermitUserRC no
PasswordAuthentication no
KbdInteractiveAuthentication no
PrintMotd no
PrintLastLog no
MaxStartups 200
SetEnv {environment}
ForceCommand {at_once}exec /bin/sh {folder}/enter
"""
# sshd begins in the home that passwd has, and with the shell that passwd has.
# A second bash reads .bashrc again unless it is told that it is not the outermost.
ENTER = """\
command=$SSH_ORIGINAL_COMMAND
unset SSH_ORIGINAL_COMMAND
export SHLVL=1
cd "$HOME" || exit
exec "$SHELL" ${command:+-c "$command"}
"""
# The same in the shell that sshd has begun, for what replaces it in any case: of two
# more shells for each of some thousand commands, none is started.
AT_ONCE = (
    'case $SSH_ORIGINAL_COMMAND in "exec "*) command=$SSH_ORIGINAL_COMMAND;'
    ' unset SSH_ORIGINAL_COMMAND; cd "$HOME" && eval "$command"; exit;; esac; '
)
# A program that works once there is a file; its version it tells at any time.
HELD = """\
#!/bin/sh
[ "$1" = --version ] || until [ -e {seen} ]; do sleep 0.1; done
exec {program} "$@"
"""
POSIX = {"sh", "bash", "dash"}
CLIENT = """\
Host {name}
    HostName {address}
    Port {port}
    User {user}
    IdentityFile {key}
    IdentitiesOnly yes
    UserKnownHostsFile {known_hosts}
    StrictHostKeyChecking yes
    BatchMode yes
"""


@dataclass(frozen=True)
class Options:
    """How a machine differs from others."""

    name: str = "devbox"
    programs: Path | None = None
    """The folder of its PostgreSQL's programs; none without one."""
    without: tuple[str, ...] = ()
    """Programs that it hasn't."""
    login_shell: str = ""
    """By name; empty: this user's own."""
    sftp: bool = True
    hide: tuple[Path, ...] = ()
    """Folders that are empty there. Takes root."""
    small_disk: int = 0
    """How many bytes there is room for in `~/.dbpull`. Takes root."""
    sshd_config: tuple[str, ...] = ()
    """More lines, which win over the usual ones; no SetEnv, no Match."""
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Machine:
    """One of them. What its methods end, they end by its process's number."""

    folder: Path
    options: Options
    port: int
    mark: str = field(default_factory=lambda: str(uuid4()))
    _listener: subprocess.Popen[bytes] | None = None
    _frozen: list[int] = field(default_factory=list)

    @property
    def name(self) -> str:
        """What `fab -H` and `ssh` know it by."""
        return self.options.name

    @property
    def home(self) -> Path:
        """Its user's home folder."""
        return self.folder / "home"

    @property
    def bin(self) -> Path:
        """The one folder of its PATH: links, for tests to add to or take from."""
        return self.folder / "bin"

    @property
    def log(self) -> Path:
        """What its sshd tells."""
        return self.folder / "log"

    @property
    def config(self) -> Path:
        """What its sshd is told."""
        return self.folder / "sshd_config"

    @property
    def user(self) -> str:
        """Who logs in: whoever runs the tests."""
        return pwd.getpwuid(os.getuid()).pw_name

    @property
    def at_once(self) -> str:
        """What spares commands more shells, where the user's own understands it."""
        own = Path(pwd.getpwuid(os.getuid()).pw_shell).name
        return AT_ONCE if own in POSIX and not self.options.login_shell else ""

    def inside(self, path: Path) -> Path:
        """A path as the machine sees it: with what is hidden, and its small disk."""
        if not (self.options.hide or self.options.small_disk):
            return path
        assert self._listener
        return Path(f"/proc/{self._listener.pid}/root", *path.parts[1:])

    def ssh(self, *command: str) -> list[str]:
        """The command line that runs a command there with OpenSSH's client."""
        client = self.folder / "laptop/.ssh/config"
        return ["ssh", "-F", str(client), self.name, *command]

    def run(self, command: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run a shell's command there to its end."""
        return subprocess.run(
            self.ssh(command),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    def pids(self) -> list[int]:
        """Every process on it; sshd's own are not."""
        found = [pid for pid in pids() if self._marked(_read(pid, "environ"))]
        return [pid for pid in found if f"{SFTP}" not in _command(pid)]

    def processes(self) -> list[str]:
        """The same ones' command lines."""
        return [told for pid in self.pids() if (told := _command(pid))]

    def settled(self, seconds: float = 30) -> None:
        """Wait until nothing runs on it any more."""
        _until(lambda: not self.pids(), lambda: self.processes(), seconds)

    def connections(self) -> int:
        """How many it serves, or is still greeting."""
        return len(_sshds_of([self._listener.pid])) if self._listener else 0

    def cut(self) -> None:
        """Break its connections. It takes new ones, and its programs run on."""
        _end(self._sshds())
        self._frozen.clear()

    def freeze(self) -> None:
        """Have its connections fall silent, unbroken; new ones do not."""
        fresh = [pid for pid in self._sshds() if pid not in self._frozen]
        self._frozen += fresh
        _kill(fresh, signal.SIGSTOP)

    def thaw(self) -> None:
        """Have them speak again."""
        _kill(self._frozen, signal.SIGCONT)
        self._frozen.clear()

    def stop(self) -> None:
        """Go off the net: no listener, no connections. Its programs run on."""
        if not self._listener:
            return
        # While it sleeps, it takes no connection that would be missed here.
        self._listener.send_signal(signal.SIGSTOP)
        self.cut()
        self._listener.kill()
        self._listener.wait()
        self._listener = None

    def start(self) -> None:
        """Be on the net (again), at the same port; a small disk is then empty."""
        assert not self._listener
        before = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                _argv(self), stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        self._listener = process
        ready = b"Server listening on"
        _until(
            lambda: ready in self.log.read_bytes()[before:] or process.poll(),
            lambda: self.log.read_text(),
        )
        assert process.poll() is None, self.log.read_text()

    def end_programs(self) -> None:
        """Kill whatever runs on it, its own children included."""
        while pids := self.pids():
            _end(pids)

    def renew(self) -> None:
        """Be as it was at first: on the net, with nothing running or at home."""
        if self._listener:
            self.cut()
        else:
            self.start()
        self.end_programs()
        shutil.rmtree(self.home)
        self.home.mkdir()

    @contextmanager
    def watch_processes(self, secrets: Iterable[bytes]) -> Iterator[Watch]:
        """Look, all the while, for secrets in what its processes show."""
        watch = Watch(self._marked, tuple(secrets))
        watch.start()
        try:
            yield watch
        finally:
            watch.ended.set()
            watch.join()

    @contextmanager
    def held(self, name: str) -> Iterator[Path]:
        """Have one of its programs wait, so that it is seen, until there is a file."""
        link, seen = self.bin / name, self.folder / f"{name}-was-seen"
        program = link.readlink()
        link.unlink()
        link.write_text(HELD.format(seen=seen, program=program))
        link.chmod(0o755)
        try:
            yield seen
        finally:
            link.unlink()
            link.symlink_to(program)
            seen.unlink(missing_ok=True)

    def _marked(self, environ: bytes) -> bool:
        return f"{MARK}={self.mark}".encode() in environ

    def _sshds(self) -> list[int]:
        """The sshd processes that serve: the listener's children, and theirs."""
        found: list[int] = []
        below = _sshds_of([self._listener.pid]) if self._listener else []
        while below:
            found += below
            below = _sshds_of(below)
        return found


class Watch(threading.Thread):
    """Reads all the processes' command lines and environments, over and over."""

    def __init__(self, ours: Callable[[bytes], bool], secrets: tuple[bytes, ...]):
        super().__init__(daemon=True)
        self.ended = threading.Event()
        self.found: set[str] = set()
        """The command lines of those that held a secret."""
        self.seen: set[str] = set()
        """Those of all the machine's: what it was awake for."""
        # Both are replaced, never changed: they are looked through meanwhile.
        self._ours, self._secrets = ours, secrets
        # Never to be ours, so that each round is short, as many programs are: first
        # the kernel's own, which have no file.
        there = pids()
        self._foreign = {p for p in there if not os.access(f"/proc/{p}/exe", os.F_OK)}

    def run(self) -> None:
        """Look until it is told to end."""
        while not self.ended.is_set():
            there = pids()
            self._foreign.intersection_update(there)
            for pid in there:
                if pid not in self._foreign:
                    self._look(pid)
            # Who is watched wants to run, too: no program is over sooner.
            time.sleep(0.001)

    def _look(self, pid: int) -> None:
        # The name first: what sshd has forked becomes ours only when it's another.
        name, environ = _read(pid, "comm"), _read(pid, "environ")
        if self._ours(environ):
            self._see(_command(pid), _read(pid, "cmdline") + b"\0" + environ)
        elif environ and not name.startswith(b"sshd"):
            self._foreign.add(pid)

    def _see(self, command: str, shown: bytes) -> None:
        self.seen = self.seen | {command}
        if any(secret in shown for secret in self._secrets):
            self.found = self.found | {command}

    def saw(self, program: Path) -> bool:
        """Whether it was awake for a program that did more than tell its version."""
        at_work = (c for c in self.seen if not c.endswith("--version"))
        return any(f"{program} " in command for command in at_work)


class _Process(NamedTuple):
    pid: int
    name: str
    state: str
    parent: int


def _read(pid: int, name: str) -> bytes:
    """One of its files; empty when it's gone, or not ours."""
    try:
        # A Path for each of hundreds of processes would take as long again.
        with open(f"/proc/{pid}/{name}", "rb", 0) as file:  # noqa: PTH123
            return file.read()
    except OSError:
        return b""


def _command(pid: int) -> str:
    words = _read(pid, "cmdline").rstrip(b"\0").split(b"\0")
    return b" ".join(words).decode(errors="replace")


def _table(of: Iterable[int] | None = None) -> list[_Process]:
    """Every process of this machine's, or of these."""
    found = []
    for pid in pids() if of is None else of:
        # pid (name) state parent …, and the name may hold blanks and brackets.
        before, bracket, after = _read(pid, "stat").decode().rpartition(")")
        if bracket:
            state, parent = after.split()[:2]
            found.append(_Process(pid, before.split("(", 1)[1], state, int(parent)))
    return found


def _sshds_of(parents: list[int]) -> list[int]:
    """Their children that are sshd: newer ones' programs have longer names."""
    return [
        process.pid
        for process in _table()
        if process.parent in parents
        and process.name.startswith("sshd")
        and process.state != "Z"
    ]


def _alive(pids: list[int]) -> list[int]:
    return [process.pid for process in _table(pids) if process.state != "Z"]


def _kill(pids: list[int], number: int = signal.SIGKILL) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def _end(pids: list[int]) -> None:
    """Kill processes and see them gone."""
    _kill(pids)
    _until(lambda: not _alive(pids), lambda: f"not to be killed: {pids}")


def _until(
    condition: Callable[[], object],
    told: Callable[[], object],
    seconds: float = PATIENCE,
) -> None:
    """Wait until something is so; `told` is what to say if it doesn't come."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, told()
        time.sleep(0.02)


def _mounts(machine: Machine) -> list[str]:
    """What mounts an empty or a small disk, seen from there only."""
    hidden = [(folder, "mode=755") for folder in machine.options.hide]
    if room := machine.options.small_disk:
        hidden.append((machine.home / ".dbpull", f"mode=700,size={room}"))
    return [
        f"mount -t tmpfs -o {how} dbpull-test {shlex.quote(str(folder))}"
        for folder, how in hidden
        if folder.is_dir()
    ]


def _argv(machine: Machine) -> list[str]:
    assert SSHD
    # By its whole path: it starts itself anew for each connection.
    sshd = [SSHD, "-D", "-e", "-f", str(machine.config)]
    if not (mounts := _mounts(machine)):
        return sshd
    script = " && ".join([*mounts, 'exec "$@"'])
    return ["unshare", "--mount", "sh", "-c", script, "sh", *sshd]


def _require(options: Options) -> None:
    """Skip the test where there can't be such a machine."""
    need("sshd", "ssh", "curl", *filter(None, [options.login_shell]))
    if not Path("/proc/self").exists():
        pytest.skip(LINUX)
    if options.hide or options.small_disk:
        need_mounts()


@cache
def _postgres_names() -> frozenset[str]:
    """PostgreSQL's programs, wherever they are, and Debian's for it."""
    folders = [*FOLDERS.values(), *Path("/usr/lib/postgresql").glob("*/bin")]
    theirs = {program.name for folder in folders for program in folder.iterdir()}
    links = (link for link in SYSTEM[0].iterdir() if link.is_symlink())
    return frozenset(
        theirs | {link.name for link in links if _real_name(link) == "pg_wrapper"}
    )


def _real_name(link: Path) -> str:
    """The name of what a link leads to; of one that leads to itself, its own."""
    return Path(os.path.realpath(link)).name  # Path.resolve raises at a loop


@cache
def _system() -> Mapping[str, Path]:
    """This machine's usual programs by name, without PostgreSQL's."""
    files = (file for folder in reversed(SYSTEM) for file in folder.iterdir())
    return {
        file.name: file
        for file in files
        if file.name not in _postgres_names() and os.access(file, os.X_OK)
    }


def _link_programs(machine: Machine) -> None:
    options = machine.options
    theirs = options.programs.iterdir() if options.programs else ()
    programs = {**_system(), **{program.name: program for program in theirs}}
    machine.bin.mkdir()
    for name, program in programs.items():
        if name not in options.without:
            (machine.bin / name).symlink_to(program)


def _environment(machine: Machine) -> str:
    shell = machine.options.login_shell
    variables = {
        MARK: machine.mark,
        "HOME": str(machine.home),
        "PATH": str(machine.bin),
        **({"SHELL": shutil.which(shell)} if shell else {}),
        **machine.options.environment,
    }
    return " ".join(f'"{name}={value}"' for name, value in variables.items())


def _make_keys(folder: Path) -> None:
    for name in ("host_key", "user_key"):
        argv = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f"]
        subprocess.run([*argv, str(folder / name)], check=True)


def _configure(machine: Machine) -> None:
    folder, more = machine.folder, list(machine.options.sshd_config)
    if machine.options.sftp:
        more.append(f"Subsystem sftp {SFTP} -d {machine.home}")
    values = {"more": "\n".join(more), "port": machine.port, "address": LOOPBACK}
    values |= {"environment": _environment(machine), "at_once": machine.at_once}
    machine.config.write_text(CONFIG.format(folder=folder, **values))
    (folder / "enter").write_text(ENTER)


@contextmanager
def machine(**options: Any) -> Iterator[Machine]:
    """Run a machine; `options` are those of `Options`."""
    wanted = Options(**options)
    _require(wanted)
    folder = Path(tempfile.mkdtemp(prefix="dbpull-test-"))
    made = Machine(folder, wanted, free_port())
    try:
        made.home.mkdir()
        if wanted.small_disk:
            (made.home / ".dbpull").mkdir(mode=0o700)
        _make_keys(folder)
        _link_programs(made)
        _configure(made)
        introduce(folder / "laptop", made)
        if os.getuid() == 0:
            Path("/run/sshd").mkdir(exist_ok=True)  # sshd insists, at root's
        made.start()
        yield made
    finally:
        made.stop()
        made.end_programs()
        shutil.rmtree(folder)


def introduce(home: Path, *machines: Machine) -> None:
    """Have the SSH clients of whoever lives there know these machines by name."""
    folder = home / ".ssh"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    known_hosts = folder / "known_hosts"
    entries = [
        CLIENT.format(
            name=machine.name,
            address=LOOPBACK,
            port=machine.port,
            user=machine.user,
            key=machine.folder / "user_key",
            known_hosts=known_hosts,
        )
        for machine in machines
    ]
    (folder / "config").write_text("\n".join(entries))
    keys = (
        f"[{LOOPBACK}]:{machine.port} {(machine.folder / 'host_key.pub').read_text()}"
        for machine in machines
    )
    known_hosts.write_text("".join(keys))


def start_fab(project: Project, hosts: str, *words: str, **more: str) -> Run:
    """Start `fab -H` in a project; `more` is added to its variables."""
    argv = [sys.executable, "-m", "fabric", "-H", hosts, *words]
    return project.begin(argv, None, more)


def fab(project: Project, hosts: str, *words: str, **more: str) -> Ended:
    """The same to its end."""
    return start_fab(project, hosts, *words, **more).end()


def _trust(world: World) -> dict[str, str]:
    """So that a curl there takes the made-up download host for a real one."""
    return {"CURL_CA_BUNDLE": str(world.heroku.ca)} if world.heroku.ca else {}


@pytest.fixture(scope="session")
def standing_machines(world: World) -> Iterator[Callable[[str, str], Machine]]:
    """This session's machines, by name and PostgreSQL, each started when asked for."""
    with ExitStack() as stack:

        @cache
        def started(name: str, postgres: str) -> Machine:
            if postgres not in FOLDERS:
                pytest.skip(NO_OLD)
            options = {"programs": FOLDERS[postgres], "environment": _trust(world)}
            return stack.enter_context(machine(name=name, **options))

        yield started


@pytest.fixture
def devbox(standing_machines: Callable[[str, str], Machine]) -> Iterator[Machine]:
    """A machine with the newest PostgreSQL's programs, as new at each test's end."""
    made = standing_machines("devbox", "wheel")
    yield made
    made.renew()


@pytest.fixture
def buildbox(standing_machines: Callable[[str, str], Machine]) -> Iterator[Machine]:
    """Another, with an older PostgreSQL's programs."""
    made = standing_machines("buildbox", OLD)
    yield made
    made.renew()


@pytest.fixture
def make_machine(world: World) -> Iterator[Callable[..., Machine]]:
    """Make a machine; its options are those of `Options`."""
    with ExitStack() as stack:

        def make(**options: Any) -> Machine:
            options.setdefault("programs", FOLDERS.get("wheel"))
            environment = _trust(world) | options.pop("environment", {})
            made = machine(environment=environment, **options)
            return stack.enter_context(made)

        yield make
