"""The severities of a server's messages, in each language of PostgreSQL.

Source: the translations of PostgreSQL 15's server (src/backend/po). libpq prints other
labels (DETAIL, HINT) in the language of the program: LC_ALL=C for ours.
"""

from __future__ import annotations

import re

_NOTES = re.compile(
    r"""WARNING|NOTICE|INFO|LOG|DEBUG
    |WARNUNG|HINWEIS|ADVERTENCIA|AVISO|ATTENTION|ATTENZIONE|NOTIFICA|VARNING|NOTIS|LOGG
    |ПРЕДУПРЕЖДЕНИЕ|ЗАМЕЧАНИЕ|ИНФОРМАЦИЯ|СООБЩЕНИЕ|ОТЛАДКА
    |ПОПЕРЕДЖЕННЯ|ПОВІДОМЛЕННЯ|ІНФОРМАЦІЯ|ЗАПИСУВАННЯ|НАЛАГОДЖЕННЯ
    |გაფრთხილება|ინფორმაცია|ჟურნალი|გამართვა
    |경고|알림|정보|로그|디버그|警告|注意|信息|日志|调试
    |UYARI|BİLGİ|OSTRZEŻENIE|UWAGA
    |DETAIL|HINT|CONTEXT|QUERY|LOCATION|STATEMENT""",
    re.VERBOSE,
)
"""The severities of notes, and the labels of a message's further lines."""
_MESSAGE = re.compile(r"(?:^|: )(?P<word>[^\W\d_]+): {2}(?P<text>.*)")


def error(line: str) -> str:
    """The text of a line in which a server reports an error; "" for other lines."""
    found = _MESSAGE.search(line)
    if not found or is_note(line):
        return ""
    word = found["word"]
    return found["text"] if word.isupper() or not word.isascii() else ""


def is_note(line: str) -> bool:
    """Whether a line is a note of the server's, or continues a message."""
    found = _MESSAGE.search(line)
    return found is not None and bool(_NOTES.fullmatch(found["word"]))
