"""One terminal for the threads of several hosts: a live line for each running step."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console

from dbpull.console.step import Step
from dbpull.console.terminal import FRAME, LiveLines, Terminal


class SharedTerminal(Terminal):
    """Shows many runs at once; any thread may use it.

    rich draws one live display at a time, so all steps are lines of one display.
    """

    def __init__(self, hosts: Sequence[str]) -> None:
        super().__init__(
            InTurn(stderr=True, highlight=False, markup=False, emoji=False)
        )
        self._hosts = hosts
        self._heads = max(map(len, hosts), default=0) + 1
        self._lines = LiveLines(self.console, auto_refresh=False)

    @contextmanager
    def live(self) -> Iterator[None]:
        """Draw the live lines; clear them on leaving, also after an error."""
        over = threading.Event()
        painter = threading.Thread(target=self._paint, args=(over,), daemon=True)
        try:
            with self.console:
                self._lines.start()
            painter.start()
            yield
        finally:
            over.set()
            with self.console:
                self._lines.stop()

    @contextmanager
    def shown(self, step: Step) -> Iterator[None]:
        """Give the step a line of its own, at its host's place."""
        place = self._hosts.index(step.host) if step.host in self._hosts else -1
        with self.console:  # always the turn first, then rich's own locks
            self._lines.add(step, f"{step.host:<{self._heads}}", place)
            self._lines.refresh()
        try:
            yield
        finally:
            with self.console:
                self._lines.remove(step)
                self._lines.refresh()

    def _paint(self, over: threading.Event) -> None:
        # rich's own refreshing thread takes its locks in another order than a thread
        # that prints: with the turn between them, the two would wait for each other.
        while not over.wait(FRAME):
            with self.console:
                self._lines.refresh()


class InTurn(Console):
    """A console on which one thread at a time prints.

    rich renders a thread's text before it writes the text. Text that moves the cursor
    over the live lines must be written before another thread's text is rendered.
    """

    _turn = threading.RLock()

    def __enter__(self) -> InTurn:
        """Wait for the turn; rich itself enters the console for each print."""
        self._turn.acquire()
        super().__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        """Write, and pass the turn on."""
        try:
            super().__exit__(*error)
        finally:
            self._turn.release()
