"""What a platform that hosts databases adds to them, and so to their dumps."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Platform:
    """A platform's additions to each database that it hosts."""

    name: str
    schema: str
    """The schema of its own objects, which serve nowhere else."""
    extension_schema: str
    """The schema of extensions: dumps name it, and don't create it."""

    @property
    def search_path(self) -> str:
        """The search_path of its databases: no dump sets it.

        Without that search_path, citext compares with case, and `unaccent()` is not
        found.
        """
        return f'"$user", public, {self.extension_schema}'
