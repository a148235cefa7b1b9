"""Errors about settings and flags: values, names, files."""

from __future__ import annotations

from collections.abc import Iterable

from dbpull.errors import PullError
from dbpull.errors.spelling import nearest
from dbpull.naming import NAME, command, setting


class SettingsError(PullError):
    """A setting or flag can't be used."""


class UnknownSetting(SettingsError):
    """A key that dbpull does not have, most likely a typing error.

    `others` counts further unknown keys: the section may be another program's.
    """

    def __init__(
        self, name: str, origin: str, known: Iterable[str], *, others: int | None = None
    ) -> None:
        known = sorted(known)
        near = nearest(name, known)
        remedy = f"Did you mean {near}?" if near else f"Known: {', '.join(known)}."
        if others or (others == 0 and not near):
            remedy += (
                f" If `{NAME.section}` there is the project's own, dbpull takes another"
                ' name: PROJECT.load(…, name="dbpull"), see its README.'
            )
        super().__init__(f"{origin} has {name}, which is not a setting.", remedy)


class ImpossibleValue(SettingsError):
    """A value is not of its setting's kind."""

    def __init__(self, origin: str, value: object, wanted: str) -> None:
        super().__init__(
            f"{origin} is {value!r}, which is not {wanted}.",
            f"Set it to {wanted}.",
        )


class OnlyInFile(SettingsError):
    """A variable sets a setting that only a file may set."""

    def __init__(self, variable: str, place: str) -> None:
        key = variable.removeprefix(NAME.prefix).lower()
        super().__init__(
            f"{variable} is set in {place}; {setting(key)} may only be set in"
            " invoke.yaml.",
            "Set it there, where all who work on the project see it.",
        )


class EmptyValue(SettingsError):
    """A setting or flag was given without a value."""

    def __init__(self, origin: str) -> None:
        super().__init__(f"{origin} is empty.", "Give it a value, or leave it out.")


class UnreadableFile(SettingsError):
    """invoke.yaml is not YAML or not a mapping, or .env can't be read."""

    def __init__(self, name: str, cause: str) -> None:
        super().__init__(f"{name} can't be read: {cause}.", f"Correct {name}.")


class TargetNotRead(SettingsError):
    """A target was plainly meant, in a form or a place that dbpull does not read."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"{what}, so no target is named; the embedded server was not touched.",
            "Put DATABASE_URL=postgres://… into the .env beside tasks.py, or pass"
            f" --target. If the embedded server is meant: `{command('start')}` tells"
            " the URL that is to be put there.",
        )


class NoTargetThere(SettingsError):
    """No setting names the database to be replaced on a host."""

    def __init__(
        self, host: str, why: str = "nothing says which database is to be replaced"
    ) -> None:
        super().__init__(
            f"No target on {host}: {why}.",
            "Pass --target=postgres://localhost/NAME, set"
            f" {setting('hosts')}.{host}.target in invoke.yaml, or DATABASE_URL;"
            " `localhost` is the host itself.",
        )


class DemoFailed(SettingsError):
    """The demo could not be shown."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"{what}.", f"`{command('stop')} --demo` stops what is left of it."
        )
