"""Heroku's additions to a dump of a database."""

from __future__ import annotations

from dbpull.platforms import Platform

# The functions of _heroku call roles that exist at Heroku only; restored by a
# superuser, its event triggers make every later DROP EXTENSION fail.
PLATFORM = Platform("Heroku", schema="_heroku", extension_schema="heroku_ext")
