"""The live line of a step: as much of its progress as a terminal has room for."""

from __future__ import annotations

from dbpull.console.step import Step
from dbpull.words import size, span

Piece = tuple[str, str]
"""A text with its style."""
LONGEST_BAR, SHORTEST_BAR = 24, 6
SENTENCE = 10
"""The characters of the sentence that the bar and other numbers leave free."""
SECONDS = 99
"""The seconds up to which a time left is told in whole seconds."""
NAME = 6
"""The fewest characters of a table's name that tell something."""


def fitted(step: Step, width: int, *, head: str = "") -> list[Piece]:
    """The line in pieces, at most `width` wide; `head` (a host) stands before all.

    The table's name is last and is cut first; then the bar gets shorter, then the
    sentence; then the bar, the time left and the rate are left out, in this order.
    """
    room = width - len(head)
    numbers = _numbers(step)
    least = min(SENTENCE, len(step.sentence))
    bar = bool(step.total) and room >= least + _taken(numbers) + SHORTEST_BAR + 1
    while numbers and room < least + _taken(numbers):
        numbers.pop()
    free = room - _taken(numbers) - (SHORTEST_BAR + 1) * bar
    sentence = cut(step.sentence, free)
    pieces = [(head, ""), (sentence, "")]
    if bar:
        longer = min(LONGEST_BAR - SHORTEST_BAR, free - len(sentence))
        pieces += _bar(step, SHORTEST_BAR + longer)
    pieces += [(f" {number}", "") for number in numbers]
    left = width - sum(len(text) for text, _ in pieces) - 1
    if step.doing and left >= min(NAME, len(step.doing)):
        pieces.append((f" {cut(step.doing, left)}", ""))
    return pieces


def cut(text: str, width: int) -> str:
    """The text, cut to a width where it is longer."""
    return text if len(text) <= width else text[: max(0, width - 1)] + "…"[:width]


def _numbers(step: Step) -> list[str]:
    """Percent, amount, rate and time left: those that are known."""
    found = []
    if step.total:
        found.append(f"{100 * min(step.done, step.total) // step.total:>3} %")
    if step.amount:
        found.append(step.amount)
    if step.unit == "bytes" and (rate := step.rate):
        found.append(f"{size(round(rate))}/s")
        if (left := step.left) is not None:
            told = span(left) if left > SECONDS else f"{max(1, round(left))} s"
            found.append(f"{told} left")
    return found


def _taken(numbers: list[str]) -> int:
    return sum(len(number) + 1 for number in numbers)


def _bar(step: Step, width: int) -> list[Piece]:
    """The bar after a blank: two strokes that differ without colours as well."""
    full = width * min(step.done, step.total or 1) // (step.total or 1)
    return [(" ", ""), ("━" * full, "green"), ("─" * (width - full), "dim")]
