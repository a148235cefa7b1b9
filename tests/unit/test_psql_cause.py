"""What an error's cause is, among all that a program prints."""

from __future__ import annotations

import pytest

from dbpull.errors.restore import RestoreFailed
from dbpull.postgres.psql import cause
from dbpull.restore.watch import Watch

MISMATCH = """\
WARNING:  database "postgres" has a collation version mismatch
DETAIL:  The database was created using collation version 1.0, but the operating \
system provides version 2.36.
HINT:  Rebuild all objects in this database that use the default collation and run \
ALTER DATABASE postgres REFRESH COLLATION VERSION, or build PostgreSQL with the right \
library version.
"""
NOTES = {
    "en": "WARNING NOTICE INFO LOG DEBUG",
    "de": "WARNUNG HINWEIS",
    "fr": "ATTENTION NOTICE",
    "it": "ATTENZIONE NOTIFICA",
    "sv": "VARNING NOTIS LOGG",
    "ru": "ПРЕДУПРЕЖДЕНИЕ ЗАМЕЧАНИЕ",
    "uk": "ПОПЕРЕДЖЕННЯ ПОВІДОМЛЕННЯ",
    "ka": "გაფრთხილება",
    "ko": "경고 알림",
    "zh": "警告 注意",
}
ERRORS = {
    "en": "ERROR FATAL PANIC",
    "de": "FEHLER FATAL PANIK",
    "fr": "ERREUR FATAL",
    "it": "ERRORE FATALE PANICO",
    "sv": "FEL FATALT PANIK",
    "ru": "ОШИБКА ВАЖНО ПАНИКА",
    "uk": "ПОМИЛКА ФАТАЛЬНО",
    "ka": "შეცდომა",
    "ko": "오류 치명적오류",
    "zh": "错误 致命错误",
}
BEFORE = ["", "psql:<stdin>:7: ", "pg_restore: error: could not execute query: "]


@pytest.mark.parametrize("language", ERRORS)
@pytest.mark.parametrize("before", BEFORE)
def test_a_note_is_no_cause_in_any_language(language: str, before: str) -> None:
    for note in NOTES[language].split():
        for word in ERRORS[language].split():
            told = f'{note}:  database "x" has no actual collation version\n'
            told += f"DETAIL:  more\nHINT:  do it\n{before}{word}:  the reason.\n"

            assert cause(told) == "the reason"


def test_a_mismatch_at_connecting_is_no_cause() -> None:
    assert cause(MISMATCH + "ERROR:  division by zero\nLINE 1: …") == "division by zero"
    lost = "server closed the connection unexpectedly"
    assert cause(f"{MISMATCH}{lost}\n\tThis probably means\n") == lost
    assert cause(MISMATCH) == "it ended without a message"


def test_what_a_program_tells_of_its_progress_is_no_cause() -> None:
    told = "pg_restore: connecting to database for restore\n" + MISMATCH
    told += "pg_restore: error: could not read from input file: end of file\n"

    assert cause(told).endswith("could not read from input file: end of file")


def test_a_connection_that_is_refused_is_told_as_the_server_does() -> None:
    socket = 'connection to server at "127.0.0.1", port 5432 failed'

    assert cause(f'psql: error: {socket}: FATAL:  role "x" does not exist\n') == (
        'role "x" does not exist'
    )
    assert cause(f"psql: error: {socket}: Connection refused\n\tIs the server\n") == (
        f"{socket}: Connection refused"
    )


def test_a_mismatch_does_not_hide_what_pg_restore_complains_of() -> None:
    watch = Watch()
    watch.begin(lambda _done, _total: None, 1)

    for line in MISMATCH.splitlines():
        watch(line)
    watch("pg_restore: from TOC entry 7; 1259 16388 TABLE t postgres")
    watch("pg_restore: error: could not execute query: ERROR:  no room")
    watch("Command was: CREATE TABLE t ();")
    for line in MISMATCH.splitlines():  # of another worker
        watch(line)
    with pytest.raises(RestoreFailed, match="failed at TABLE t: no room"):
        watch.end()
