"""The words of fakes: names, towns, streets of a locale, or numbered words."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cached_property
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from dbpull.errors.masks import MaskError
from dbpull.naming import setting

MOST = 1000
"""The most words of a kind."""
_TRIES = 3000
_SEED = 4711
_NUMBERED = {
    "first_name": "First{}",
    "last_name": "Last{}",
    "city": "City {}",
    "company": "Company {}",
    "job": "Job {}",
    "street": "Street {}",
    "postcode": "{:05}",
}
_METHODS = {"street": "street_name"}
"""The methods of Faker that have another name than the rule."""


class Vocabulary:
    """The words of each kind; with Faker (the extra `mask`) those of a locale.

    `ascii_only`: for a database that can't hold any character.
    """

    def __init__(self, locale: str = "", *, ascii_only: bool = False) -> None:
        self._locale, self._ascii_only = locale, ascii_only
        self._words: dict[str, list[str]] = {}

    def words(self, kind: str) -> list[str]:
        """The words of a rule, sorted: the same in each run with the same Faker.

        Raises MaskError where a locale is wanted and can't be had.
        """
        if kind not in self._words:
            self._words[kind] = self._of_locale(kind) or [
                _NUMBERED[kind].format(number) for number in range(1, MOST + 1)
            ]
        return self._words[kind]

    def _of_locale(self, kind: str) -> list[str]:
        if not self._faker:
            return []
        self._faker.seed_instance(_SEED)
        make: Callable[[], object] | None
        make = getattr(self._faker, _METHODS.get(kind, kind), None)
        found = {str(make()) for _ in range(_TRIES)} if make else set()
        if self._ascii_only:
            found = {word for word in found if word.isascii()}
        return sorted(found)[:: max(1, len(found) // MOST)][:MOST]

    @cached_property
    def _faker(self) -> Any:
        """Faker, which has no types for this; None where it is not installed."""
        if find_spec("faker"):
            try:
                # Each name as often as another: ten times as fast, and more of them.
                make = import_module("faker").Faker
                return make(self._locale or None, use_weighting=False)
            except AttributeError:
                raise MaskError(
                    f"{setting('mask_locale')} is {self._locale}, which Faker does not"
                    " know.",
                    "Set it to one such as de_DE, or leave it out.",
                ) from None
        if self._locale:
            raise MaskError(
                f"{setting('mask_locale')} needs Faker, which is not installed.",
                "Install dbpull with the extra `mask`, or leave mask_locale out.",
            )
        return None


def pick(words: list[str], number: str) -> str:
    """SQL for one of the words, chosen by SQL for a number.

    A constant of jsonb is ten times as fast as one of text[], which is walked through.
    """
    constant = literal(json.dumps(words, ensure_ascii=False))
    return f"({constant}::pg_catalog.jsonb ->> ({number} % {len(words)})::int)"


def literal(text: str) -> str:
    """A text as an SQL literal, under standard_conforming_strings."""
    return "'" + text.replace("'", "''") + "'"
