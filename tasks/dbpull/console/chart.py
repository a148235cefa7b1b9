"""The times of a run: what took longest in a sentence, and the chart (`--timings`)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dbpull.console.step import Step
from dbpull.words import span

Bar = tuple[str, str, float, float]
"""Kind, name, begin and end of a piece of work (of time.monotonic)."""
Piece = tuple[str, str]
"""A text with its style."""
MOST = 40
"""The most bars."""
SHORT = 0.01
"""The share of the whole below which a bar is left out."""
MATTERS = 10.0
"""Seconds below which no step is worth a sentence of its own."""
STYLES = {"download": "blue", "rows": "green", "index": "magenta"}
KINDS = {"reference": "foreign key", "rest": "other"}
"""The engine's kinds of jobs that are no words for users."""
WENT = {
    "capture": "waited for the backup",
    "fetch": "waited for the download",
    "restore": "went into the restore",
    "check": "went into checking and analyzing",
    "before_swap": "went into before_swap",
    "after_swap": "went into after_swap",
}


def explained(steps: Sequence[Step], total: float) -> str:
    """`24 of 27 s waited for the download.`: half of the run, or its longest step.

    A restore lasts at least as long as the download that it reads; so what comes first
    in WENT is the cause.
    """
    known = [step for name in WENT for step in steps if step.name == name]
    if not known:
        return ""
    halves = [step for step in known if step.seconds >= total / 2]
    step = halves[0] if halves else max(known, key=lambda step: step.seconds)
    number, _, unit = span(step.seconds).partition(" ")
    same_unit = span(total).partition(" ")[2] == unit
    part = number if same_unit else f"{number} {unit}"
    return f"{part} of {span(total)} {WENT[step.name]}."


def matter(steps: Sequence[Step], total: float) -> bool:
    """Whether one step was slow enough to be worth a sentence."""
    least = max(MATTERS, total / 2)
    return any(step.seconds >= least for step in steps if step.name in WENT)


def drawn(bars: Sequence[Bar], width: int) -> Iterator[list[Piece]]:
    """The chart's lines, `width` wide, in the order in which the work began."""
    start = min(bar[2] for bar in bars)
    total = max(max(bar[3] for bar in bars) - start, 0.001)
    shown = [bar for bar in bars if _seconds(bar) >= total * SHORT]
    shown = sorted(shown, key=_seconds, reverse=True)[:MOST]
    longest = max(len(_named(bar)) for bar in shown)
    names = min(longest, max(40, width // 2), width - 30)
    room = width - names - 14
    for bar in sorted(shown, key=lambda bar: bar[2]):
        before = min(round((bar[2] - start) / total * room), room - 1)
        length = max(1, round(_seconds(bar) / total * room))
        block = ("█" * length)[: room - before]
        yield [
            (f"  {_cut(_named(bar), names):<{names}}  {' ' * before}", ""),
            (block, STYLES.get(bar[0], "cyan")),
            (f"{' ' * (room - before - len(block))}  {span(_seconds(bar)):>8}", ""),
        ]
    yield [(f"  {' ' * names}  {_axis(room, total)}", "")]
    if others := len(bars) - len(shown):
        seconds = sum(map(_seconds, bars)) - sum(map(_seconds, shown))
        yield [(f"  and {others} shorter, {span(seconds)} together", "")]


def _axis(room: int, total: float) -> str:
    """The times below the bars: `0 s      9 s      18 s      27 s`."""
    parts = max(1, min(4, room // 12))
    line = "0 s"
    for part in range(1, parts + 1):
        text = _tick(total * part / parts, total)
        end = room if part == parts else round(room * part / parts) + len(text) // 2
        line = f"{line}{text:>{end - len(line)}}"
    return line


def _tick(seconds: float, total: float) -> str:
    return f"{seconds:.0f} s" if seconds < MATTERS <= total else span(seconds)


def _seconds(bar: Bar) -> float:
    return bar[3] - bar[2]


def _named(bar: Bar) -> str:
    kind = KINDS.get(bar[0], bar[0])
    return kind if bar[1] in {bar[0], "the rest"} else f"{kind} {bar[1]}"


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"
