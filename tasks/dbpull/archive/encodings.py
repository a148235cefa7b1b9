"""In which encoding a dump's names and definitions are: what pg_dump's client had."""

from __future__ import annotations

import codecs
import re

UTF8 = "utf-8"
_SET = re.compile(r"client_encoding = '([^']+)'")
# pg_enc in src/include/mb/pg_wchar.h; the others Python knows by the same name.
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
    "SQL_ASCII": UTF8,  # nobody knows; most often it is that
}


def codec_of(definition: str) -> str:
    """Python's name of what an ENCODING entry sets; UTF-8's where it has none."""
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
    """A text that was read as UTF-8, read as what it is."""
    if text.isascii() or codec == UTF8:
        return text
    raw = text.encode(UTF8, "surrogateescape")
    return raw.decode(codec, "surrogateescape")


def unknown(name: str | None) -> bool:
    """Whether a name holds bytes of which nobody knows what they stand for."""
    return any("\udc80" <= c <= "\udcff" or c == "\ufffd" for c in name or "")
