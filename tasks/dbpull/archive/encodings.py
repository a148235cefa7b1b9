"""The encoding of a dump's names and definitions: pg_dump's client_encoding."""

from __future__ import annotations

import codecs
import re

UTF8 = "utf-8"
_SET = re.compile(r"client_encoding = '([^']+)'")
# From pg_enc in src/include/mb/pg_wchar.h; Python knows the others by the same name.
_CODECS = {
    "ISO_8859_5": "iso8859-5",
    "ISO_8859_6": "iso8859-6",
    "ISO_8859_7": "iso8859-7",
    "ISO_8859_8": "iso8859-8",
    "KOI8R": "koi8-r",
    "KOI8U": "koi8-u",
    "EUC_CN": "gb2312",
    "SJIS": "cp932",
    "BIG5": "cp950",
    "SQL_ASCII": UTF8,  # unknown; most often it is UTF-8
}


def codec_of(definition: str) -> str:
    """Python's name of the encoding in an ENCODING entry; UTF-8 where it is unknown."""
    found = _SET.search(definition)
    name = found[1] if found else UTF8
    if name.startswith("WIN"):
        name = f"cp{name.removeprefix('WIN')}"
    codec = _CODECS.get(name, name)
    try:
        b"a".decode(codec)  # codecs.lookup also knows "hex", which makes no text
    except (LookupError, ValueError):  # EUC_TW, MULE_INTERNAL; or a damaged name
        return UTF8
    return codecs.lookup(codec).name


def decoded(text: str, codec: str) -> str:
    """A text that was read as UTF-8, decoded by its codec."""
    if text.isascii() or codec == UTF8:
        return text
    raw = text.encode(UTF8, "surrogateescape")
    return raw.decode(codec, "surrogateescape")


def unknown(name: str | None) -> bool:
    """Whether a name holds bytes that its encoding does not explain."""
    return any("\udc80" <= c <= "\udcff" or c == "\ufffd" for c in name or "")
