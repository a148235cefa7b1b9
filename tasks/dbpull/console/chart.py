"""The chart of a run (`--timings`): a line with a bar for each piece of work."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dbpull.words import span

Bar = tuple[str, str, float, float]
"""Kind, name, begin and end of a piece of work (of time.monotonic)."""
WIDTH, NAME, MOST = 34, 30, 40
"""The widths of the bar's and the name's columns, in characters; the most bars."""
STYLES = {"download": "blue", "rows": "green", "index": "magenta"}


def drawn(bars: Sequence[Bar]) -> Iterator[tuple[str, str]]:
    """Lines with their style: the longest bars in the order in which they began."""
    start = min(began for _, _, began, _ in bars)
    total = max(max(ended for _, _, _, ended in bars) - start, 0.001)
    longest = sorted(bars, key=_seconds, reverse=True)[:MOST]
    for bar in sorted(longest, key=lambda bar: bar[2]):
        before = min(round((bar[2] - start) / total * WIDTH), WIDTH - 1)
        length = max(1, round(_seconds(bar) / total * WIDTH))
        line = f"{' ' * before}{'█' * length}"[:WIDTH]
        took = span(_seconds(bar))
        text = f"  {_named(bar):<{NAME}} {line:<{WIDTH}} {took:>7}"
        yield text, STYLES.get(bar[0], "cyan")
    if len(bars) > MOST:
        yield f"  and {len(bars) - MOST} shorter ones", "dim"
    work = [bar for bar in bars if bar[0] != "download"]
    slowest = sorted(work, key=_seconds, reverse=True)[:5]
    names = ", ".join(f"{_named(bar)} {span(_seconds(bar))}" for bar in slowest)
    yield f"  Slowest: {names}", ""


def _seconds(bar: Bar) -> float:
    return bar[3] - bar[2]


def _named(bar: Bar) -> str:
    text = bar[0] if bar[0] == bar[1] else f"{bar[0]} {bar[1]}"
    return text if len(text) <= NAME else text[: NAME - 1] + "…"
