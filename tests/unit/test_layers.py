"""Who may import whom: the arrows of the design, all of which go downwards."""

from __future__ import annotations

import ast
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "tasks" / "dbpull"
# Each part names those below that it imports; a part stands after all of these.
LAYERS: dict[str, set[str]] = {
    "naming": set(),
    "words": set(),
    "errors": {"naming", "words"},
    "configured": {"naming"},
    "merged": {"configured", "errors", "naming"},
    "values": set(),
    "native": set(),
    "filelock": set(),
    "platforms": set(),
    "supported": set(),
    "redact": set(),
    "signals": set(),
    "single_flight": {"signals"},
    "standby": {"signals"},
    "env_file": {"errors", "naming"},
    "project": {"env_file", "errors", "merged", "naming", "native"},
    "keys": {"values"},
    "mistyped": {"errors", "naming"},
    "flags": {"errors", "keys", "mistyped", "naming"},
    "settings": {"errors", "keys", "naming", "native", "project", "values"},
    "console": {"naming", "words"},
    "archive": {"errors", "native"},
    "layers": {"archive", "errors", "native"},
    "network": {"errors"},
    "download": {"errors", "filelock", "network", "signals", "words"},
    "http_api": {"errors", "network", "redact"},
    "heroku": {"errors", "http_api", "naming", "network", "platforms", "redact"},
    "render": {"errors", "http_api", "naming", "network", "redact"},
    "embedded": {"errors", "filelock", "native"},
    "shell": {"naming", "native", "signals"},
    "hosts": {"download", "errors", "naming", "shell", "signals", "words"},
    "fab": {"console", "errors", "hosts", "naming", "signals"},
    "postgres": {"embedded", "errors", "shell"},
    "live": {
        "archive", "download", "errors", "postgres", "redact", "shell", "signals",
        "words",
    },
    "target": {
        "console", "embedded", "env_file", "errors", "naming", "platforms", "postgres",
        "project", "settings", "shell", "words",
    },
    "restore": {"archive", "errors", "platforms", "postgres", "shell", "signals"},
    "masks": {"archive", "download", "errors", "naming", "postgres"},
    "kept_rows": {"errors", "postgres"},
    "demo": {"embedded", "errors", "naming", "standby"},
    "sources": {
        "console", "download", "errors", "heroku", "hosts", "http_api", "keys", "live",
        "naming", "postgres", "project", "redact", "render", "settings", "shell",
        "signals", "single_flight", "target", "words",
    },
    "dumps": {
        "archive", "console", "download", "errors", "filelock", "hosts", "layers",
        "native", "postgres", "redact", "restore", "settings", "shell", "single_flight",
        "sources", "words",
    },
    "flows": {
        "archive", "console", "demo", "dumps", "errors", "kept_rows", "masks", "naming",
        "postgres", "project", "redact", "restore", "settings", "shell", "signals",
        "sources", "target", "words",
    },
    "push": {
        "console", "dumps", "errors", "flows", "heroku", "naming", "postgres",
        "project", "restore", "settings", "shell", "signals", "sources", "standby",
        "target", "words",
    },
    "context": {
        "configured", "console", "errors", "flows", "hosts", "naming", "postgres",
        "settings", "shell",
    },
    "django": {
        "configured", "console", "errors", "flags", "flows", "naming", "project",
        "push", "settings", "shell", "sources", "supported",
    },
    "local_tasks": {"context", "flags", "flows", "shell"},
    "mask_tasks": {"context", "flags", "flows"},
    "snapshot_tasks": {"context", "flags", "flows"},
    "status_tasks": {"context", "flags", "flows"},
    "db": {
        "context", "flags", "flows", "local_tasks", "mask_tasks", "push",
        "snapshot_tasks", "status_tasks", "supported",
    },
}  # fmt: skip
# Where each of the others' packages is used; everywhere below such a path.
USED_BY = {
    "aiohttp": {"demo/heroku"},
    "django": {"django"},
    "dotenv": {"env_file.py"},
    "fabric": {
        "fab",
        "hosts/connect.py",
        "hosts/connection.py",
        "hosts/known_hosts.py",
    },
    "invoke": {
        "db.py",
        "django/run.py",
        "errors/__init__.py",
        "fab",
        "flags.py",
        "local_tasks.py",
        "mask_tasks.py",
        "mistyped.py",
        "snapshot_tasks.py",
        "status_tasks.py",
        "context.py",
    },
    "paramiko": {
        "fab",
        "hosts/connect.py",
        "hosts/connection.py",
        "hosts/known_hosts.py",
        "hosts/proxy.py",
        "hosts/sessions.py",
    },
    "requests": {"download", "http_api", "network.py"},
    "rich": {"console"},
    "trustme": {"demo/heroku"},
    "urllib3": {"download", "http_api", "network.py"},
}
STARTS_PROGRAMS = {
    "download/ignored.py", "shell/heir.py", "shell/local.py", "shell/output.py",
    "shell/piped.py",
    "demo", "embedded", "heroku/credentials.py", "heroku/git.py", "standby.py",
}  # fmt: skip
NAMED_BY_OTHERS = {"Command"}  # Django finds a manage.py command by this name
VAGUE = {"utils", "util", "helpers", "helper", "core", "base", "manager", "common"}


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


@cache
def imports(module: Path) -> tuple[str, ...]:
    """Full names of what a module imports, wherever in it."""
    return tuple(_imports(module))


def _imports(module: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} imports relatively"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def part_of(module: Path) -> str:
    return module.relative_to(PACKAGE).parts[0].removesuffix(".py")


def parts_used_by(part: str) -> set[str]:
    """The parts of dbpull that a part's modules import."""
    names = {
        name.split(".")[1]
        for module in modules()
        if part_of(module) == part
        for name in imports(module)
        if name.startswith("dbpull.")
    }
    return {name for name in names if name in LAYERS} - {part}


def name_of(module: Path) -> str:
    """`dbpull.console.step`; a package's `__init__` has the package's name."""
    parts = module.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts).removesuffix(".__init__")


def modules_used_by(module: Path, known: Iterable[str]) -> set[str]:
    """The modules that a module imports, or imports something of."""
    found = {
        name if name in known else name.rpartition(".")[0] for name in imports(module)
    }
    return (found & set(known)) - {name_of(module)}


def below(module: Path, places: set[str]) -> bool:
    path = module.relative_to(PACKAGE).as_posix()
    return any(path == place or path.startswith(f"{place}/") for place in places)


def test_the_tree_of_the_readme_has_every_part_and_no_other() -> None:
    tree = (PACKAGE / "README.md").read_text(encoding="utf-8").split("\n## ")[2]
    rows = (line.split("|")[1] for line in tree.splitlines() if line[:3] == "| `")
    named = {name for row in rows for name in re.findall(r"`([a-z_]+)(?:\.py|/)`", row)}

    assert named == set(LAYERS)


def test_every_part_has_its_layer() -> None:
    parts = {part_of(module) for module in modules()} - {"__init__"}

    assert parts == set(LAYERS)


def test_the_arrows_go_downwards() -> None:
    seen: set[str] = set()
    for part, used in LAYERS.items():
        assert used <= seen, part
        seen.add(part)


def test_each_part_imports_exactly_what_its_layer_says() -> None:
    assert {part: parts_used_by(part) for part in LAYERS} == LAYERS


def test_no_modules_import_each_other_in_a_circle() -> None:
    """Also not inside of functions, nor for types alone."""
    names = {name_of(module): module for module in modules()}
    used = {name: modules_used_by(module, names) for name, module in names.items()}

    TopologicalSorter(used).prepare()  # raises CycleError


def test_nobody_imports_db() -> None:
    assert not [part for part in LAYERS if "db" in parts_used_by(part)]


def test_each_package_of_others_is_used_in_its_place_only() -> None:
    ours = {*sys.stdlib_module_names, "dbpull", "_typeshed"}
    foreign = [
        (module, name)
        for module in modules()
        for name in imports(module)
        if name.split(".")[0] not in ours
    ]

    assert len(foreign) > 50
    assert not [
        f"{module} imports {name}"
        for module, name in foreign
        if not below(module, USED_BY.get(name.split(".")[0], set()))
    ]


PROCESSES = ("subprocess", "multiprocessing", "asyncio.subprocess", "pty", "pexpect")
CALLS = {"system", "popen", "fork", "posix_spawn", "create_subprocess_exec",
         "create_subprocess_shell", "startfile"}  # fmt: skip


def starts_programs(module: Path) -> set[str]:
    """By what it would start any: names that it imports, functions that it calls."""
    tree = ast.parse(module.read_text(encoding="utf-8"))
    called = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    return {name for name in imports(module) if name.startswith(PROCESSES)} | {
        name for name in called if name in CALLS or name.startswith("spawnv")
    }


def test_programs_are_started_in_their_places_only() -> None:
    found = {
        module: names for module in modules() if (names := starts_programs(module))
    }

    assert any(below(module, {"shell/local.py"}) for module in found)
    assert not {m: names for m, names in found.items() if not below(m, STARTS_PROGRAMS)}


def test_a_shell_is_never_asked_for() -> None:
    assert not [
        f"{module}:{node.value.lineno}"
        for module in modules()
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8")))
        if isinstance(node, ast.keyword)
        and node.arg == "shell"
        and isinstance(node.value, ast.Constant)
        and node.value.value
    ]


def test_no_file_has_a_name_that_says_nothing() -> None:
    names = {
        part.removesuffix(".py")
        for module in modules()
        for part in module.relative_to(PACKAGE).parts
    }

    assert not names & VAGUE


def test_no_two_classes_have_the_same_name() -> None:
    names = Counter(
        node.name
        for module in modules()
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef)
    )

    assert len(names) > 300
    assert {name for name, count in names.items() if count > 1} == NAMED_BY_OTHERS


def test_tasks_is_a_source_root_and_no_package() -> None:
    assert not (ROOT / "tasks" / "__init__.py").exists()


def test_what_is_packed_knows_no_faults_of_herokus() -> None:
    for module in modules():
        if below(module, {"demo"}):
            text = module.read_text(encoding="utf-8")
            assert not re.search(r"\bfaults?\b|misbehav", text, re.I), module


SOURCE_IS_ANY = {"flows", "dumps", "restore", "target"}
"""The parts that serve each kind of source alike."""


def test_what_serves_every_source_names_none() -> None:
    named = [
        f"{module}:{number}"
        for module in modules()
        if part_of(module) in SOURCE_IS_ANY
        for number, line in enumerate(module.read_text("utf-8").splitlines(), 1)
        if "heroku" in line.lower()
    ]

    assert not named
    assert {part_of(module) for module in modules()} >= SOURCE_IS_ANY
