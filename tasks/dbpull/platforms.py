"""The additions of a hosting platform to its databases, and so to their dumps."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Platform:
    """A platform's additions to each of its databases."""

    name: str
    schema: str
    """The schema of the platform's own objects, which serve nowhere else."""
    extension_schema: str
    """The schema of extensions, which dumps name and don't create."""

    @property
    def search_path(self) -> str:
        """The search_path of the platform's databases, which no dump sets.

        Without this search_path, citext compares with case, and `unaccent()` is not
        found.
        """
        return f'"$user", public, {self.extension_schema}'
