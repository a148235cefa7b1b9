"""HTTP answers of a provider: the JSON of a success, the body of an error."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from dbpull.errors.http_api import UnexpectedAnswer

Json = TypeVar("Json", dict[str, Any], list[Any])


@dataclass(frozen=True)
class ApiAnswer:
    """One HTTP answer. Its body may hold passwords: it is never shown."""

    host: str
    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    def content(self, kind: type[Json], about: str) -> Json:
        """The JSON, a `dict` or a `list`; raises UnexpectedAnswer with `about`."""
        parsed = self.any_content(about)
        if isinstance(parsed, kind):
            return parsed
        why = f"it is no {'list' if kind is list else 'object'}"
        raise UnexpectedAnswer(self.host, about, why)

    def any_content(self, about: str) -> Any:
        """The JSON of any kind; raises UnexpectedAnswer with `about`."""
        parsed = self._json()
        if parsed is None:
            raise UnexpectedAnswer(self.host, about, "it is no JSON")
        return parsed

    def error_body(self) -> dict[str, Any]:
        """An error's JSON object; empty where the body is none."""
        parsed = self._json()
        return parsed if isinstance(parsed, dict) else {}

    def _json(self) -> Any:
        """The body's JSON; None where the body is no JSON."""
        # No `raise … from`: a JSON error carries the whole body.
        try:
            return json.loads(self.body)
        except ValueError:
            return None
