"""The parts of README.md that the program itself writes: run it to make them anew."""

from __future__ import annotations

import re
import subprocess
import sys
from functools import cache
from pathlib import Path

from dbpull.keys import KEYS
from dbpull.naming import NAME

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"


@cache
def answer(*words: str) -> str:
    """What `invoke` prints, at the width of a terminal of 80 columns."""
    run = subprocess.run(
        [sys.executable, "-m", "invoke", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return re.sub(r"[ \t]+$", "", run.stdout, flags=re.MULTILINE).strip("\n")


def table() -> str:
    """The settings, one a line."""
    lines = ["| key | flag | variable | default | meaning |", "|---|---|---|---|---|"]
    for name, key in KEYS.items():
        flag = f"`--{name.replace('_', '-')}`" if name in flags() else ""
        default = key.shown or f"`{_shown(key.default)}`"
        variable = "" if key.file_only else f"`{NAME.prefix}{name.upper()}`"
        lines.append(f"| `{name}` | {flag} | {variable} | {default} | {key.meaning} |")
    return "\n".join(lines)


def flags() -> set[str]:
    """The settings that `db.pull` has a flag for."""
    found = re.findall(
        r"^  (?:-. STRING, )?--([a-z-]+)", answer("--help", "db.pull"), re.MULTILINE
    )
    return {flag.replace("-", "_") for flag in found}


def written(text: str) -> str:
    """README's text with the program's parts as they are now."""
    for words in ("--list", "--help db.pull"):
        block = f"```\n{answer(*words.split())}\n```"
        start = f"<!-- invoke {words} -->\n"
        text = _replace(text, start, r"```\n.*?```", block)
    return _replace(text, "<!-- settings -->\n", r"(?:\|[^\n]*\n?)+", table() + "\n")


def _shown(default: object) -> str:
    return "[]" if default == () else str(default)


def _replace(text: str, start: str, pattern: str, part: str) -> str:
    found = re.search(re.escape(start) + pattern, text, re.DOTALL)
    assert found, f"README.md lacks {start!r}"
    return text[: found.start()] + start + part + text[found.end() :]


if __name__ == "__main__":
    README.write_text(written(README.read_text(encoding="utf-8")), encoding="utf-8")
