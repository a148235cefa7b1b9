"""Talking to a stand-in's `/stand-in/…` from outside."""

from __future__ import annotations

import http.client
import json
from urllib.parse import urlsplit

from dbpull.errors.stand_in import StandInSilent


def ask(
    api: str, token: str, method: str, path: str, body: object = None, wait: float = 10
) -> object:
    """One request to a stand-in's admin path; the JSON answer.

    `wait` in seconds. Raises `StandInSilent`, and ValueError with its words where the
    stand-in refuses.
    """
    connection = http.client.HTTPConnection(urlsplit(api).netloc, timeout=wait)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    try:
        connection.request(method, f"/stand-in{path}", json.dumps(body), headers)
        answer = connection.getresponse()
        data = json.loads(answer.read())
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise StandInSilent(api, type(error).__name__) from error
    finally:
        connection.close()
    if answer.status != 200:
        raise ValueError(data["message"])
    return data
