"""Requests from outside to a stand-in's admin paths, `/stand-in/…`."""

from __future__ import annotations

import http.client
import json
from urllib.parse import urlsplit

from dbpull.errors.stand_in import StandInSilent


def ask(
    api: str, token: str, method: str, path: str, body: object = None, wait: float = 10
) -> object:
    """Send a request to an admin path; return the JSON of the answer.

    `wait` in seconds. Raises `StandInSilent`, and ValueError with the stand-in's words
    where it refuses.
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
