"""What is told of a pg_restore that fails, and what of rows never is."""

from __future__ import annotations

import pytest

from dbpull.errors.restore import RestoreFailed
from dbpull.restore.watch import Watch

FAILURE = """\
pg_restore: from TOC entry 3345; 0 16401 TABLE DATA people owner
pg_restore: error: COPY failed for table "people": ERROR:  {error}
CONTEXT:  COPY people, line 3, column note: "ann@example.com, line 12"
pg_restore: processing data for table "public.pets"
"""


def told(error: str) -> str:
    watch = Watch()
    watch.begin(lambda _done, _total: None, 1)
    with pytest.raises(RestoreFailed) as caught:  # noqa: PT012 - any line may be it
        for line in FAILURE.format(error=error).splitlines():
            watch(line)
    return str(caught.value)


@pytest.mark.parametrize(
    ("error", "shown"),
    [
        (
            'invalid input syntax for type integer: "ann@example.com"',
            "invalid input syntax for type integer: …",
        ),
        (
            'value "ann@example.com" is out of range for type integer',
            "value … is out of range for type integer",
        ),
        (
            'new row for relation "people" violates check constraint "grown_up"',
            'new row for relation "people" violates check constraint "grown_up"',
        ),
    ],
)
def test_a_failure_names_its_place_and_shows_no_row(error: str, shown: str) -> None:
    message = told(error)

    assert f"TABLE DATA people: {shown} (COPY people, line 3)." in message
    assert "ann" not in message
