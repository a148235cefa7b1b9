"""The privacy of rows: removes their values from messages, where servers quote them.

A server's message may be in any language (lc_messages): not every role may ask for
English. Known names of objects are kept, all other quoted text is removed.
Source: the texts in src/backend/po and src/pl/plpgsql/src/po.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

# The nouns that stand before an object's name in English.
_NOUNS = (
    "access method|aggregate|alias|argument|attribute|class|collation|column"
    "|configuration|constraint|conversion|database|dictionary|domain|encoding"
    "|extension|family|field|file|function|index|language|library|method|object"
    "|operator|option|parameter|parser|partition|policy|procedure|publication|record"
    "|relation|role|rule|schema|sequence|server|setting|slot|statistics|subscription"
    "|table|tablespace|template|trigger|type|user|variable|view|wrapper"
)
# A name has 63 bytes at most (NAMEDATALEN), and rarely looks like a mail address.
_WORD = r'"[^"@]{0,63}"'
_NAME = re.compile(
    rf'\b(?:{_NOUNS}) {_WORD}(?:: "[^"]*"(?=$| ))?'  # parameter "x": "its value"
    r'|\blocale name: "[^"]*"$'
    rf"|^{_WORD}(?= is (?:not )?an? (?:\w+ )?(?:{_NOUNS})\b)"
    r'|\bat or near "(?:[A-Z_]+|\W)"'  # of syntax: keywords
)
_QUOTED = re.compile(r'"[^"]*"?')
_VALUE = re.compile(r'(?<=: )".*|".*"|".*')
# From the first to the last quote of any language; in an encoding that is not ours,
# quotes are read as \N{REPLACEMENT CHARACTER}.
_FOREIGN_VALUE = re.compile(
    r'["«»„“”「『\N{REPLACEMENT CHARACTER}].*["«»“”」』\N{REPLACEMENT CHARACTER}]'
    r'|["«»„“”「『\N{REPLACEMENT CHARACTER}].*'
)
_AFTER_COLON = re.compile("([:\N{FULLWIDTH COLON}]\\s*).+")
_BARE_VALUE = re.compile(r"[^\s…]*[\d@][^\s…]*")  # Georgian has few quotes

# An exception of the app's own, or SQL that it built: the text may hold values of rows.
_STATEMENT = r"(?<![A-Za-z_])(?:RAISE|ASSERT|EXECUTE)(?![A-Za-z_])"
_RAISED = re.compile(rf"PL/pgSQL.*{_STATEMENT}")
_RAISED_ZH = re.compile(rf"{_STATEMENT}.*PL/pgSQL")
# In languages other than PL/pgSQL every error is an exception of the app's own.
_OTHER_LANGUAGE = re.compile(r"\bPL/(?!pgSQL)\w+|\bplv8\b")
_FUNCTION = re.compile(r"PL/pgSQL function (.*\)) line ")
OURS = "dbpull_mask.refuse()"
"""The function that tells of a mask that failed: by names, without a value."""


def without_values(text: str) -> str:
    """A server's message without the values of rows that it quotes."""
    if not _QUOTED.sub("", text).isascii():
        hidden = _AFTER_COLON.sub(r"\1…", _FOREIGN_VALUE.sub("…", text))
        return _BARE_VALUE.sub("…", hidden)
    names = [range(*name.span()) for name in _NAME.finditer(text)]
    at = 0
    while opening := _VALUE.search(text, at):
        start, end = opening.span()
        name = next((span for span in names if start in span), None)
        if name is None:
            return f"{text[:start]}…{text[end:]}"
        at = name.stop
    return text


def without_words(function: str) -> str:
    """The message that replaces the text of a function's exception."""
    return f"{function} raised an exception (the server's log has the message)"


def raised_by(lines: Iterable[str]) -> str:
    """The function that raised an exception; "" for the server's own message.

    `lines` follow the error's first line: they hold its context.
    """
    for line in lines:
        if _RAISED.search(line) or _RAISED_ZH.search(line):
            found = _FUNCTION.search(line)
            if found and found[1] == OURS:
                return ""
            return found[1] if found else "a function of the database"
        if _OTHER_LANGUAGE.search(line):
            return "a function of the database"
    return ""
