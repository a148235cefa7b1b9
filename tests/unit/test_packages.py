"""Where an extension is to be had."""

from __future__ import annotations

import pytest

from dbpull.errors.restore import MissingExtensions


@pytest.mark.parametrize(
    ("name", "package"),
    [
        ("citext", "postgresql-contrib-15"),
        ("uuid-ossp", "postgresql-contrib-15"),
        ("postgis_raster", "postgresql-15-postgis-3"),
        ("vector", "postgresql-15-pgvector"),
        ("pg_partman", "postgresql-15-partman"),
        ("orafce", "postgresql-15-orafce"),
        ("plpgsql_check", "postgresql-15-plpgsql-check"),
        ("plpython3u", "postgresql-plpython3-15"),
        ("hstore_plperl", "postgresql-plperl-15"),
        ("ip4r", "postgresql-15-ip4r"),
    ],
)
def test_a_missing_extension_is_looked_for_in_its_own_package(
    name: str, package: str
) -> None:
    told = str(MissingExtensions([name], "shop", 15, embedded=False))

    assert f"(Debian's package {package}" in told
    assert ("repository" in told) == ("contrib" not in package)
