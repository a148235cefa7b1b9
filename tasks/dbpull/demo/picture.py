"""The picture in README.md: `db.demo` on a terminal, as rich exports it.

`python -m dbpull.demo.picture [FILE]` runs the demo and writes the SVG.
"""

from __future__ import annotations

import os
import pty
import re
import sys
from pathlib import Path

WIDTH, HEIGHT = 104, 50
PICTURE = Path(__file__).with_name("picture.svg")
# The live lines that rich draws during a step, and clears at its end.
_LIVE = re.compile(r"\x1b\[\?25l.*?\x1b\[\?25h(?:\r?\x1b\[1A\x1b\[2K)*\r?", re.DOTALL)
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-HJKhl]|\r")


def main(target: Path) -> None:
    """Run the demo on a terminal of its own, and write its final screen as SVG."""
    from rich.console import Console
    from rich.text import Text

    shown = _CONTROL.sub("", _LIVE.sub("", _run()))
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        console = Console(record=True, width=WIDTH, file=nowhere, force_terminal=True)
        console.print(Text.from_ansi("$ invoke db.demo\n" + shown.strip()))
        svg = console.export_svg(title="dbpull", unique_id="dbpull")
    # Without @font-face no font is fetched; git dislikes blanks at lines' ends.
    svg = re.sub(r"\s*@font-face \{.*?\}", "", svg, flags=re.DOTALL)
    target.write_text(re.sub(r"[ \t]+$", "", svg, flags=re.M), encoding="utf-8")


def _run() -> str:
    """The output of `invoke db.demo` on a terminal."""
    seen: list[bytes] = []

    def read(descriptor: int) -> bytes:
        piece = os.read(descriptor, 65536)
        seen.append(piece)
        return b"." if piece else piece

    os.environ |= {
        "COLUMNS": str(WIDTH),
        "LINES": str(HEIGHT),
        "TERM": "xterm-256color",
    }
    code = os.waitstatus_to_exitcode(
        pty.spawn([sys.executable, "-m", "invoke", "db.demo"], read)
    )
    if code:
        raise SystemExit(f"invoke db.demo ended with {code}")
    return b"".join(seen).decode()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else PICTURE)
