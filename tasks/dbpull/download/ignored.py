"""The .gitignore lines that keep dumps out of git: dumps hold customers' rows."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

DUMPS = "*.dump*"
"""The line of a .gitignore that keeps dumps and their parts out of git."""


def make_private(folder: Path) -> None:
    """Make a folder that only its owner can read and that git ignores."""
    if not folder.is_dir():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not next(folder.iterdir(), None):
        (folder / ".gitignore").write_text("*\n", "utf-8")


def keep_out_of_git(path: Path) -> str:
    """Have git ignore the dump at `path`; return a sentence where a file was changed.

    The .gitignore stays as it is where git ignores the dump already. Without git, and
    outside a repository, the line is added in any case: it does no harm.
    """
    ignored = path.with_name(".gitignore")
    try:
        # Bytes: the file is the user's, in whatever encoding.
        content = ignored.read_bytes() if ignored.exists() else b""
        if {b"*", DUMPS.encode()} & set(content.splitlines()) or _ignores(path):
            return ""
        newline = b"\n" if content and not content.endswith(b"\n") else b""
        # git reads no .gitignore that is a link (git's release notes, 2.32).
        fd = os.open(
            ignored, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o666
        )
        with os.fdopen(fd, "ab") as file:
            file.write(newline + DUMPS.encode() + b"\n")
    except OSError as error:
        why = os.strerror(error.errno or 0).lower()
        return (
            f"git may take the dump: add the line {DUMPS} to a .gitignore"
            f" ({ignored} can't be written: {why})."
        )
    return f"Added the line {DUMPS} to {ignored}, so that git does not take the dump."


def _ignores(path: Path) -> bool:
    """Whether git ignores the dump, its part and its journal, by whatever rule."""
    names = [path.name, f"{path.name}.part", f"{path.name}.part.journal"]
    # The folder's repository is asked, not the repository of a git hook around us.
    environ = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    argv = ["git", "-C", str(path.parent), "check-ignore", "--stdin", "-z"]
    try:
        result = subprocess.run(
            argv,
            env=environ,
            input=b"".join(os.fsencode(name) + b"\0" for name in names),
            capture_output=True,
            timeout=10,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False  # no git
    return result.stdout.count(b"\0") == len(names)
