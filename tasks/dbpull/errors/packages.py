"""The packages of extensions: Debian's names, also used by PostgreSQL's repository."""

from __future__ import annotations

from collections.abc import Sequence

_CONTRIB = frozenset(
    {
        "adminpack", "amcheck", "autoinc", "bloom", "btree_gin", "btree_gist", "citext",
        "cube", "dblink", "dict_int", "dict_xsyn", "earthdistance", "file_fdw",
        "fuzzystrmatch", "hstore", "insert_username", "intagg", "intarray", "isn", "lo",
        "ltree", "moddatetime", "old_snapshot", "pageinspect", "pg_buffercache",
        "pg_freespacemap", "pg_logicalinspect", "pg_overexplain", "pg_prewarm",
        "pg_stat_statements", "pg_surgery", "pg_trgm", "pg_visibility", "pg_walinspect",
        "pgcrypto", "pgrowlocks", "pgstattuple", "postgres_fdw", "refint", "seg",
        "sslinfo", "tablefunc", "tcn", "tsm_system_rows", "tsm_system_time", "unaccent",
        "uuid-ossp", "xml2",
    }
)  # fmt: skip
"""The extensions in PostgreSQL's sources (contrib/ of 12 to 18)."""
_FAMILIES = {
    "postgis": "postgresql-{}-postgis-3",
    "address_standardizer": "postgresql-{}-postgis-3",
    "plperl": "postgresql-plperl-{}",
    "plpython": "postgresql-plpython3-{}",
    "pltcl": "postgresql-pltcl-{}",
}
"""Packages by the beginning of extensions' names, or the end: hstore_plperl."""
_OTHERS = {
    "pg_cron": "cron",
    "pg_partman": "partman",
    "pg_repack": "repack",
    "pg_similarity": "similarity",
    "pg_sphere": "pgsphere",
    "pgq": "pgq3",
    "pldbgapi": "pldebugger",
    "table_log": "tablelog",
    "vector": "pgvector",
}
"""Extensions whose package has another name."""


def packages(names: Sequence[str], major: int) -> str:
    """The sentence part that names the packages for a PostgreSQL version."""
    found = sorted({_package(name, major) for name in names})
    told = f"Debian's package {' and '.join(found)}"
    if all(name in _CONTRIB for name in names):
        return told
    return f"{told}, where there is one, from PostgreSQL's own repository"


def _package(name: str, major: int) -> str:
    if name in _CONTRIB:
        return f"postgresql-contrib-{major}"
    for word, package in _FAMILIES.items():
        if name.startswith(word) or f"_{word}" in name:
            return package.format(major)
    return f"postgresql-{major}-{_OTHERS.get(name, name).replace('_', '-')}"
