"""The picture in README.md, `db.demo` on a terminal: run it to make it anew."""

from __future__ import annotations

import html
import os
import re
from collections import defaultdict
from pathlib import Path

from rich.console import Console
from rich.text import Text

from terminals import on_a_terminal

ROOT = Path(__file__).parents[2]
PICTURE = Path(__file__).with_name("picture.svg")
WIDTH = 104
DEMO = """
import runpy, sys
from dbpull.demo.stage import Stage
Stage.__init__.__kwdefaults__["scale"] = {scale}
sys.argv = ["invoke", "db.demo"]
runpy.run_module("invoke", run_name="__main__")
"""
_TOKENS = re.compile(r"\x1b\[(\d*)A|(\x1b\[2K)|\x1b\[\?25[hl]|(\n)|\r|([^\x1b\n\r]+|.)")
_PARTS = re.compile(r'<text [^>]*\bx="([\d.]+)"[^>]*-line-(\d+)\)"[^>]*>(.*?)</text>')
# Two runs differ in these: seconds, bytes, the moment of the backup, made-up values.
_VARIES = re.compile(
    r"\b[\d.]+ (?:s|min|kB|MB)\b|\d{8}T\d{6}Z|\bu[0-9a-f]{16}@example\.com.*"
)


def played(folder: Path, scale: float = 1.0) -> list[str]:
    """The lines that a terminal shows after `invoke db.demo`, with their colours.

    `scale` is the made-up shop's size, which shows in nothing but sizes and times.
    """
    script = DEMO.format(scale=scale)
    return ["$ invoke db.demo", *_screen(on_a_terminal(script, WIDTH, folder))]


def drawn(lines: list[str]) -> str:
    """The lines as SVG."""
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        console = Console(record=True, width=WIDTH, file=nowhere, force_terminal=True)
        console.print(Text.from_ansi("\n".join(lines)))
        svg = console.export_svg(title="dbpull", unique_id="dbpull")
    # Without @font-face no font is fetched; git dislikes blanks at lines' ends.
    svg = re.sub(r"\s*@font-face \{.*?\}", "", svg, flags=re.DOTALL)
    return re.sub(r"[ \t]+$", "", svg, flags=re.M)


def text(svg: str) -> list[str]:
    """The picture's lines without blanks, and without what varies between two runs."""
    lines: dict[int, str] = defaultdict(str)
    for _, number, part in sorted(_PARTS.findall(svg), key=lambda part: float(part[0])):
        lines[int(number)] += html.unescape(part).replace("\xa0", " ")
    told = (lines[number] for number in sorted(lines))
    return [re.sub(r"\s", "", _VARIES.sub("~", line)) for line in told]


def _screen(printed: str) -> list[str]:
    """The lines left on a terminal where live lines were drawn, and erased."""
    lines, row = [""], 0
    for up, erase, newline, piece in _TOKENS.findall(printed):
        row += bool(newline) - int(up or 0)
        lines += [""] * (row + 1 - len(lines))
        lines[row] = "" if erase else lines[row] + piece
    return "\n".join(lines).strip().split("\n")


if __name__ == "__main__":
    PICTURE.write_text(drawn(played(ROOT)), encoding="utf-8")
