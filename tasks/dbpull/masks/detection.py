"""Detection by names: which columns sound as if their values were personal."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from pathlib import Path

_DICTIONARY = Path(__file__).with_name("dictionary.txt")
_PEOPLE, _ENDS = "people", "harmless ends"
"""The parts of the dictionary that are no kind of values."""
_PART = re.compile(r"^\[(.+)\](.*)\n((?:.+\n)+)", re.MULTILINE)
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_LETTERS = str.maketrans({"ß": "ss", "ø": "o", "æ": "ae", "ł": "l", "Ł": "L", "Ø": "O"})
_OF_KEYS = {"official number"}
"""The kinds that a key of numbers may be."""
_ANY = frozenset({"text", "other"})

Words = tuple[str, ...]


def kind_of(
    table: str, column: str, holds: Collection[str], *, is_key: bool = False
) -> str:
    """The kind of personal values of which a column's name tells; "" for none.

    `holds`: what its type holds (`column_types.py`). A key that is no text, or ends
    in `id`, may be an official number, and nothing else.
    """
    found = words(column)
    if not found or (found[-1],) in _part(_ENDS):
        return ""
    as_key = (is_key or found[-1] == "id") and _ANY.isdisjoint(holds)
    for kind in _kinds(found):
        if not _types()[kind].isdisjoint(holds) and (kind in _OF_KEYS or not as_key):
            return kind
    of_people = any((word,) in _part(_PEOPLE) for word in words(table))
    return "name" if found == ("name",) and of_people and "text" in holds else ""


def words(name: str) -> Words:
    """The words of a name, in lower case and the singular, without accents."""
    split = unicodedata.normalize("NFKD", name.translate(_LETTERS))
    bare = "".join(one for one in split if not unicodedata.combining(one))
    return tuple(_singular(found.lower()) for found in _WORD.findall(bare))


def _singular(word: str) -> str:
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


def _kinds(found: Words) -> Iterator[str]:
    """The kinds with a sequence of words in a name, the longest sequence first."""
    for length in range(len(found), 0, -1):
        for start in range(len(found) - length + 1):
            sequence = found[start : start + length]
            yield from (kind for kind in _types() if sequence in _part(kind))


@cache
def _part(name: str) -> frozenset[Words]:
    """The sequences of a part of the dictionary, also each written as one word."""
    _, text = _parts()[name]
    sequences = [words(one) for one in text.split(",")]
    return frozenset(sequences) | {words("".join(one)) for one in sequences}


@cache
def _types() -> Mapping[str, frozenset[str]]:
    """What the columns of each kind of values hold."""
    parts = _parts().items()
    return {
        name: frozenset(types.split()) for name, (types, _) in parts if types.strip()
    }


@cache
def _parts() -> Mapping[str, tuple[str, str]]:
    text = _DICTIONARY.read_text(encoding="utf-8")
    return {name: (types, of) for name, types, of in _PART.findall(text)}
