"""Errors about the user's own commands before and after a swap."""

from __future__ import annotations

from dbpull.errors import PullError


class UnusableHook(PullError):
    """A command or file in `before_swap` or `after_swap` can't be run."""

    midway = True


class HookFailed(PullError):
    """A command of the user's own has failed; `code` as in Result, `said` its end."""

    midway = True

    def __init__(self, key: str, entry: str, code: int, said: str) -> None:
        how = f"ended with exit code {code}" if code > 0 else f"got signal {-code}"
        again = "run it by hand"
        if key == "before_swap":
            again = "run the same command again"
        super().__init__(
            f"{key}: `{entry}` {how}: {said or 'it said nothing'}.",
            f"Correct the cause, then {again}.",
        )
