"""The salt, which decides on the fakes: with one salt they are the same everywhere."""

from __future__ import annotations

import base64
import hashlib
import os
import secrets
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from dbpull.download.ignored import keep_out_of_git, make_private

NEW = "new"
"""The value of `mask_salt` for a salt that is used once and forgotten."""
FILE = "mask.dump-salt"
"""The file beside the dumps; of a name that git ignores as it ignores dumps."""
_ROUNDS = 600_000


@dataclass(frozen=True)
class Salt:
    """A secret text, and what is derived from it one way."""

    secret: bytes

    @property
    def hashed(self) -> str:
        """The salt as the server gets it, in letters and digits."""
        return hashlib.sha256(b"dbpull mask " + self.secret).hexdigest()

    @property
    def fingerprint(self) -> str:
        """Text by which two salts are told apart."""
        return hashlib.sha256(b"dbpull fingerprint " + self.secret).hexdigest()[:16]

    @property
    def seed(self) -> int:
        """The seed of the fast hash: it is in a function's text, so tells nothing."""
        derived = hashlib.sha256(b"dbpull seed " + self.secret).digest()
        return int.from_bytes(derived[:8], "big") >> 1


def salt_of(given: str | None, folder: Path) -> Salt:
    """The salt that is set; else that of the dumps' folder, made once."""
    if given == NEW:
        return Salt(secrets.token_bytes(32))
    return Salt(given.encode() if given else _kept(folder / FILE))


def _kept(path: Path) -> bytes:
    make_private(path.parent)
    if not path.exists():
        keep_out_of_git(path)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f"{FILE}-") as file:
            file.write(secrets.token_hex(32).encode() + b"\n")
            file.flush()
            with suppress(FileExistsError):  # another run has made one meanwhile
                os.link(file.name, path)
    return path.read_bytes().strip()


@cache
def django_password(password: str) -> str:
    """A password as Django stores it (PBKDF2PasswordHasher.encode); one for a run."""
    salt = secrets.token_urlsafe(12)
    key = hashlib.pbkdf2_hmac("sha256", password.encode(), salt.encode(), _ROUNDS)
    return f"pbkdf2_sha256${_ROUNDS}${salt}${base64.b64encode(key).decode()}"
