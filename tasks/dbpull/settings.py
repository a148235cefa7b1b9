"""The values of the settings: their origins and their checks.

Precedence: flag > INVOKE_DB_* > .env > invoke.yaml > default. This module
reads the environment, not Invoke: Invoke casts a variable to the type of the file's
value, and ends with a traceback where it can't (`INVOKE_DB_KEEP=some`, any list).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from dbpull import native, values
from dbpull.errors.settings import (
    EmptyValue,
    ImpossibleValue,
    OnlyInFile,
    SettingsError,
    UnknownSetting,
)
from dbpull.keys import KEYS
from dbpull.naming import NAME
from dbpull.native import legible
from dbpull.project import PROJECT

_Given = Mapping[str, tuple[Any, str]]
"""The files' settings: each key's value, and its file."""
PATH_THERE = ".dbpull/dumps"
"""The default folder of dumps on a host, below the user's home folder."""
MOST_JOBS_THERE = 16
"""The most restore workers on a host, unless set: it may have other users."""
_SECRET = {
    "target", "hosts", "source", "sources", "mask", "mask_salt", "keep_rows",
    "before_swap", "after_swap",
}  # fmt: skip
"""Settings whose values may hold a password."""
_OF_SOURCE = values.SOURCE.keys() & KEYS.keys() - {"source"}
"""Settings that a source in `sources` may have for itself."""


@dataclass(frozen=True)
class Settings:
    """Every setting's value, checked; durations are in seconds."""

    app: str | None
    apps: Mapping[str, str]
    source: str | None = field(repr=False)
    sources: Mapping[str, Mapping[str, Any]] = field(repr=False)
    """For each alias, its `source` and the settings that only it has."""
    database: str
    target: str | None = field(repr=False)
    aliases: tuple[tuple[str, str], ...]
    """Each alias with its app: from `apps`, and from the project's own file."""
    protected: tuple[str, ...]
    allowed_hosts: tuple[str, ...]
    path: Path
    path_given: str
    """`path` as the user wrote it: `~` is another folder on a host."""
    max_age: float
    wait: float
    keep: int
    jobs: int
    connections: int
    skip_data: tuple[str, ...]
    mask: Mapping[str, Any] = field(repr=False)
    mask_except: Mapping[str, str]
    unmasked: bool
    mask_locale: str | None
    mask_salt: str | None = field(repr=False)
    keep_rows: Mapping[str, str] = field(repr=False)
    before_swap: tuple[str, ...] = field(repr=False)
    after_swap: tuple[str, ...] = field(repr=False)
    tolerate: tuple[str, ...]
    embedded_port: int | None
    undo: bool
    keep_pulled: bool
    hosts: Mapping[str, Mapping[str, str]] = field(repr=False)
    origins: Mapping[str, str] = field(repr=False)
    """Each value's origin: `--app`, `INVOKE_DB_APP`, `db.app in …`."""
    local: Settings | None = field(default=None, repr=False)
    """In a host's settings: the settings of this machine."""

    @classmethod
    def of(
        cls,
        section: object,
        files: Mapping[str, str] | None = None,
        /,
        **flags: str | None,
    ) -> Settings:
        """Gather the settings from flags, environment and the files' `section`.

        `files` names a key's file where it is not invoke.yaml. Raises UnknownSetting,
        ImpossibleValue, EmptyValue and OnlyInFile, which name the origin.
        """
        files = files or {}
        given = {
            key: (value, files.get(str(key), "invoke.yaml"))
            for key, value in _mapping(section, files).items()
        }
        _refuse_unknown(given)
        found = {name: _find(name, flags.get(name), given) for name in KEYS}
        read = {name: _convert(name, *value) for name, value in found.items()}
        origins = {name: origin for name, (_, origin) in found.items()}
        _choose_source(read, origins)
        # Another file (`invoke -f`, the user's own) may add to these, no more.
        read["protected"] = (*dict.fromkeys([*_own("protected"), *read["protected"]]),)
        read["mask"] = {**read["mask"], **_own("mask")}
        read["unmasked"] = _own("unmasked")
        read["aliases"] = values.aliases(read["apps"], read["sources"], PROJECT.section)
        read["path_given"] = read["path"]
        path = os.path.expanduser(read["path"])  # noqa: PTH111 - Path's raises
        read["path"] = PROJECT.folder / native.path(path)
        return cls(**read, origins=origins)

    def for_host(self, host: str, *, home: str, cores: int) -> Settings:
        """The settings for a host: its own target, folder of dumps and workers.

        They come from `db.hosts`; `home` is the user's home folder on the host, and
        `cores` the number of its cores.
        """
        own, origins = self.hosts.get(host, {}), dict(self.origins)
        changes: dict[str, Any] = {"path": self._path_on_host(own, home), "local": self}
        if own.get("target") and not (self.target_of_source or self.target_by_flag):
            changes["target"] = own["target"]
            origins["target"] = f"{NAME.section}.hosts.{host}.target in invoke.yaml"
        if origins["jobs"] == "default":
            changes["jobs"] = min(cores, MOST_JOBS_THERE)
        return replace(self, **changes, origins=origins)

    @property
    def target_by_flag(self) -> bool:
        """Whether `--target` names the target."""
        return self.origins["target"] == "--target"

    @property
    def target_of_source(self) -> bool:
        """Whether the source's own settings name the target."""
        return self.origins["target"].startswith(_of_sources(""))

    def _path_on_host(self, own: Mapping[str, str], home: str) -> Path:
        by_flag = self.origins["path"] == "--path"
        path = self.path_given if by_flag else own.get("path", PATH_THERE)
        return Path(home, path.removeprefix("~/"))


def _choose_source(read: dict[str, Any], origins: dict[str, str]) -> None:
    """Let the source or the app win, whichever is given more directly.

    The settings of its own that an alias has win over all but flags. Raises
    SettingsError where flags name both a source and an app.
    """
    if origins["source"] == "--source" and origins["app"] == "--app":
        raise SettingsError(
            "--source and --app both name what to pull from.",
            "Leave one of them out: --app=NAME is short for --source=heroku:NAME.",
        )
    if read["source"] and _directness(origins["source"]) < _directness(origins["app"]):
        read["source"] = None
    alias = read["source"] or read["app"]
    for key, value in read["sources"].get(alias, {}).items():
        if key in _OF_SOURCE and not origins[key].startswith("--"):
            read[key] = value
            origins[key] = f"{_of_sources(alias)}.{key} in invoke.yaml"


def _directness(origin: str) -> int:
    """The rank of an origin: a flag, a variable, a file, the default."""
    if origin.startswith("--"):
        return 3
    return 2 if origin.startswith(NAME.prefix) else int(origin != "default")


def _of_sources(alias: str) -> str:
    """The origin of an alias's own settings: `db.sources.client1`."""
    return f"{NAME.section}.sources.{alias}"


def _own(name: str) -> Any:
    """A setting of the project's own file, else its default."""
    own, key = PROJECT.section.get(name), KEYS[name]
    return key.convert(key.default if own is None else own)


def _mapping(section: object, files: Mapping[str, str]) -> Mapping[str, Any]:
    if section is None:
        return {}
    if not hasattr(section, "keys"):
        origin = f"{NAME.section} in {files.get('', 'invoke.yaml')}"
        raise ImpossibleValue(origin, "…", "a mapping")
    return dict(section)  # type: ignore[call-overload, no-any-return]


def _refuse_unknown(given: _Given) -> None:
    unknown = [name for name in given if name not in KEYS]
    for name in unknown:
        origin = f"{NAME.section} in {given[name][1]}"
        raise UnknownSetting(str(name), origin, KEYS, others=len(unknown) - 1)
    for variable in PROJECT.environment:
        if variable.removeprefix(NAME.prefix).lower() not in KEYS:
            variables = [NAME.prefix + name.upper() for name in KEYS]
            raise UnknownSetting(variable, PROJECT.place(variable), variables)
        if KEYS[variable.removeprefix(NAME.prefix).lower()].file_only:
            raise OnlyInFile(variable, PROJECT.place(variable))


def _find(name: str, flag: str | None, given: _Given) -> tuple[object, str]:
    if flag is not None:
        return legible(flag), "--" + name.replace("_", "-")
    variable = NAME.prefix + name.upper()
    if PROJECT.environment.get(variable):
        return legible(PROJECT.environment[variable]), PROJECT.origin(variable)
    if name == "target" and os.environ.get("DATABASE_URL"):
        return legible(os.environ["DATABASE_URL"]), PROJECT.origin("DATABASE_URL")
    value, file = given.get(name, (None, ""))
    if value is not None:
        return value, f"{NAME.section}.{name} in {file}"
    return KEYS[name].default, "default"


def _convert(name: str, value: object, origin: str) -> Any:
    if value is None and name != "jobs":
        return None
    try:
        return KEYS[name].convert(value)
    except values.Empty:
        raise EmptyValue(origin) from None
    except values.InvalidValue as impossible:
        shown = "…" if name in _SECRET else value
        raise ImpossibleValue(origin, shown, str(impossible)) from None
