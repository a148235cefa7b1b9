"""The Heroku apps that a folder's git remotes push to."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dbpull.heroku.hosts import git_prefixes
from dbpull.redact import redacted


@dataclass(frozen=True)
class Remotes:
    """The Heroku remotes: `apps` is {remote: app}; `trouble` is git's error, if any."""

    apps: Mapping[str, str] = field(default_factory=dict)
    trouble: str = ""


def remotes(environ: Mapping[str, str], folder: Path) -> Remotes:
    """The Heroku remotes of the repository that contains `folder`.

    As in the Heroku CLI, a remote named by `git config heroku.remote` is the only
    remote. Without git or a repository there are no remotes.
    """
    listed, trouble = _git(environ, folder, "remote", "-v")
    apps = dict(_apps(listed, git_prefixes(environ)))
    chosen = _git(environ, folder, "config", "heroku.remote")[0].strip()
    if not chosen:
        return Remotes(apps, trouble)
    if chosen in apps:
        return Remotes({chosen: apps[chosen]})
    return Remotes(
        trouble=f"git config heroku.remote names {chosen!r}, which is no Heroku remote"
    )


def _apps(listed: str, prefixes: list[str]) -> list[tuple[str, str]]:
    """(remote, app) of Heroku's lines in the output of `git remote -v`."""
    pattern = re.compile(rf"(?:{'|'.join(prefixes)})(?P<app>[^/]+?)(?:\.git)?/?")
    found = []
    for line in listed.splitlines():
        name, _, target = line.partition("\t")
        url, _, kind = target.rpartition(" ")
        match = pattern.fullmatch(url)
        if match and kind == "(fetch)":
            found.append((name, match["app"]))
    return found


def _git(environ: Mapping[str, str], folder: Path, *args: str) -> tuple[str, str]:
    """The output of git, and the reason where git gives none."""
    try:
        answer = subprocess.run(
            ["git", "-C", str(folder), *args],
            env={**environ, "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=30,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return "", "git could not be run"
    if answer.returncode == 0:
        return answer.stdout.decode("utf-8", "replace"), ""
    complaint = answer.stderr.decode("utf-8", "replace").strip()
    if not complaint or "not a git repository" in complaint:
        return "", "this is no git repository"
    return "", f"git says: {redacted(complaint.splitlines()[0])}"
