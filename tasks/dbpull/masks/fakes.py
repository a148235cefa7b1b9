"""The SQL of each fake: an expression over a value, its hash and its number.

The functions `hex`, `long` and `num` are in our schema (`masks/script.py`). Where more
than 16 bits of a hash show, it is sha256 over the salt: the fast hash of `num` can be
inverted from one known pair. Names are reserved ones only: example.com (RFC 2606),
198.51.100.0/24 (RFC 5737), 2001:db8::/32 (RFC 3849), +1 555.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from dbpull.masks.vocabulary import Vocabulary, literal, pick

SCHEMA = "dbpull_mask"
"""The schema of our functions."""
FEWEST_DIGITS = 10
"""The fewest hexadecimal digits of a hash that stand for a value."""
IBAN, CARD = "DE89370400440532013000", "4242424242424242"
"""Numbers that are documented for tests."""
_LOREM = "Lorem ipsum dolor sit amet. "
UNIQUE = frozenset({"keep", "email", "username", "token", "uuid", "url"})
"""The rules that keep different values different."""
UNIQUE_WITH_SOURCE = UNIQUE | {"phone"}
"""Those that do it with the values of a unique column of whole numbers."""
LEAST = {"email": 13 + FEWEST_DIGITS, "username": 5 + FEWEST_DIGITS, "url": 20 + 10}
"""The fewest characters into which these rules fit."""


@dataclass(frozen=True)
class Given:
    """The SQL of what a fake is made of."""

    raw: str
    """The value that is replaced."""
    text: str
    """The text that is hashed."""
    number: str
    """A whole number, not negative, that chooses among words."""
    limit: int | None
    """The most characters of the fake."""
    words: Vocabulary
    is_number: bool = False
    """Whether the number is a unique number itself, no hash."""


def fake(kind: str, given: Given) -> str:
    """SQL for the fake of a value, as text that fits the limit."""
    made = _FAKES[kind](given)
    if given.limit is None or kind == "email":
        return made
    return f"left({made}, {given.limit})"


def _email(given: Given) -> str:
    made = f"{SCHEMA}.hex({given.text})"
    digits = 16 if given.limit is None else min(16, given.limit - 13)
    made = made if digits == 16 else f"left({made}, {digits})"
    return f"'u' || {made} || '@example.com'"


def _digits(given: Given) -> str:
    return f"translate({_token(given)}, 'abcdef', '012345')"


def _token(given: Given) -> str:
    long = f"{SCHEMA}.long({given.text})"
    return f"left(repeat({long}, 1 + length({given.raw}) / 64), length({given.raw}))"


def _text(given: Given) -> str:
    times = f"1 + length({given.raw}) / {len(_LOREM)}"
    return f"left(repeat('{_LOREM}', {times}), length({given.raw}))"


def _phone(given: Given) -> str:
    if given.is_number:
        digits = f"({given.number})::text"
        return f"'+1555' || lpad({digits}, greatest(7, length({digits})), '0')"
    return f"'+1555' || lpad(({given.number} % 10000000)::text, 7, '0')"


def _name(given: Given) -> str:
    first = pick(given.words.words("first_name"), given.number)
    last = pick(given.words.words("last_name"), f"({given.number} / 4096)")
    return f"{first} || ' ' || {last}"


def _street(given: Given) -> str:
    street = pick(given.words.words("street"), given.number)
    return f"{street} || ' ' || (1 + {given.number} / 4096 % 199)::text"


def _birthday(given: Given) -> str:
    year = f"date_trunc('year', ({given.raw})::timestamp)"
    return f"({year}::date + ({given.number} % 365)::int)::text"


def _ip(given: Given) -> str:
    host = f"({given.number} % 254 + 1)::text"
    six = f"'2001:db8::' || to_hex({given.number} % 65536)"
    is_six = f"position(':' IN ({given.raw})::text) > 0"
    return f"CASE WHEN {is_six} THEN {six} ELSE '198.51.100.' || {host} END"


def _word(kind: str) -> Callable[[Given], str]:
    return lambda given: pick(given.words.words(kind), given.number)


_FAKES: Mapping[str, Callable[[Given], str]] = {
    "email": _email,
    "username": lambda given: f"'user-' || {SCHEMA}.hex({given.text})",
    "token": _token,
    "uuid": lambda given: f"left({SCHEMA}.long({given.text}), 32)::uuid::text",
    "url": lambda given: f"'https://example.com/' || {SCHEMA}.hex({given.text})",
    "name": _name,
    "street": _street,
    "phone": _phone,
    "birthday": _birthday,
    "ip": _ip,
    "digits": _digits,
    "iban": lambda _: literal(IBAN),
    "card": lambda _: literal(CARD),
    "text": _text,
    **{
        kind: _word(kind)
        for kind in ("first_name", "last_name", "city", "company", "job", "postcode")
    },
}
