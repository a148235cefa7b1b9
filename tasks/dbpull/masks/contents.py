"""Detection by contents: what the values of a column look like.

Values are looked at, never told: only counts of them leave this module.
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from dbpull.masks.detection import kind_of
from dbpull.masks.rules import Path

ROWS = 1000
"""The rows of a table that are looked at."""
_LEAST_NAMES = 10
"""The fewest different first names that make a column one of people."""
_LOGINS = re.compile(r"\w+://[^/\s@]*@")
_WORD = re.compile(r"[^\W\d_]{3,}")
_LIKE: Mapping[str, re.Pattern[str]] = {
    "e-mail address": re.compile(r"[\w.+-]+@[\w-]+\.[a-zA-Z]{2,}"),
    "password": re.compile(
        r"\$2[aby]\$\d\d\$|pbkdf2_\w+\$|\$?argon2(?:id|i|d)\b|\$scrypt\$|\$[156]\$"
    ),
    "secret": re.compile(
        r"\b(?:sk|pk|rk)_(?:live|test)_\w{8}|\bgh[pousr]_\w{20}|\bxox[abp]-\w"
        r"|\bAKIA[0-9A-Z]{12}|\beyJ[\w-]{8,}\.eyJ[\w-]+\."
    ),
    "phone number": re.compile(r"(?<![\w.])\+[1-9]\d{0,3}[\d ()/-]{6,14}\d(?!\w)"),
}
_IBAN = re.compile(r"\b[A-Z]{2}\d\d ?(?:[A-Z0-9]{4} ?){2,7}[A-Z0-9]{1,4}\b")
_CARD = re.compile(r"(?<![\w.-])\d(?:[ -]?\d){12,18}(?![\w.-])")
_ADDRESS = re.compile(r"(?<![\w.:])[0-9a-fA-F:.]{7,39}(?![\w.:])")


@dataclass(frozen=True)
class Found:
    """What the values of a column look like: how many of them."""

    kind: str
    count: int
    rows: int

    @property
    def is_sure(self) -> bool:
        """Whether more than half of the values look like it."""
        return self.count * 2 > self.rows

    @property
    def told(self) -> str:
        """The count in words."""
        return f"{self.count:,} of {self.rows:,} values"


def found_in(values: Sequence[str], names: frozenset[str]) -> Found | None:
    """The kind of personal values that most of some values look like, if any do.

    `names`: words of people's names; many different ones must be there.
    """
    given = [value for value in values if value]
    counts: Counter[str] = Counter()
    for value in given:
        counts.update(_kinds(_LOGINS.sub("", value[:5000])))
    people = [value for value in given if words_of(value) & names]
    different = {name for value in people for name in words_of(value) & names}
    if len(people) * 10 >= len(given) and len(different) >= _LEAST_NAMES:
        counts["name"] = len(people)
    best = max(counts, key=lambda kind: counts[kind], default=None)
    return Found(best, counts[best], len(given)) if best else None


def paths_in(documents: Sequence[str]) -> dict[Path, str]:
    """The paths of keys in JSON documents whose names, or values, sound personal."""
    values: dict[Path, list[str]] = {}
    for text in documents:
        try:
            leaves = list(_leaves(json.loads(text), ()))
        except (ValueError, RecursionError):
            continue
        for path, value in leaves:
            values.setdefault(path, []).append(value)
    found = {}
    for path, texts in values.items():
        look = found_in(texts, frozenset())
        by_content = look.kind if look and look.is_sure else ""
        if path and (kind := kind_of("", path[-1], {"text"}) or by_content):
            found[path] = kind
    return found


def _leaves(document: object, path: Path) -> Iterator[tuple[Path, str]]:
    """The texts of a document with the keys that lead there; arrays have none."""
    if isinstance(document, dict):
        for key, value in document.items():
            yield from _leaves(value, (*path, str(key)))
    elif isinstance(document, list):
        for value in document:
            yield from _leaves(value, path)
    elif isinstance(document, str) and document:
        yield path, document


def words_of(value: str) -> set[str]:
    """The words of a value, in lower case."""
    return {word.lower() for word in _WORD.findall(value[:200])}


def _kinds(value: str) -> Iterator[str]:
    yield from (kind for kind, like in _LIKE.items() if like.search(value))
    checked: tuple[tuple[str, re.Pattern[str], Callable[[str], bool]], ...] = (
        ("bank account", _IBAN, _is_iban),
        ("bank account", _CARD, _is_card),
        ("network address", _ADDRESS, _is_address),
    )
    for kind, like, holds in checked:
        if any(holds(one[0]) for one in like.finditer(value)):
            yield kind


def _is_iban(text: str) -> bool:
    """Whether its check digits are right (ISO 13616)."""
    plain = text.replace(" ", "")
    return int("".join(str(int(one, 36)) for one in plain[4:] + plain[:4])) % 97 == 1


def _is_card(text: str) -> bool:
    """Whether its check digit is right (ISO/IEC 7812, Luhn)."""
    digits = [int(one) for one in text if one.isdigit()][::-1]
    doubled = (sum(divmod(2 * digit, 10)) for digit in digits[1::2])
    return len(set(digits)) > 1 and (sum(digits[::2]) + sum(doubled)) % 10 == 0


def _is_address(text: str) -> bool:
    try:
        return ipaddress.ip_address(text).is_multicast is not None
    except ValueError:
        return False
