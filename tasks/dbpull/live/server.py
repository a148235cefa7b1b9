"""The facts of a source's server, asked in one session before a dump."""

from __future__ import annotations

import json
from dataclasses import dataclass

from dbpull.postgres.psql import Psql

# A pooler that leaves out our settings (lock_timeout) may lack sessions for more of us.
# Not every role may ask for the server's number, and not every server may notice a
# client that is gone: an error there is an answer.
_FACTS = """
\\set system ''
\\set noticing ''
\\set ON_ERROR_STOP off
SELECT system_identifier AS system FROM pg_control_system() \\gset
SELECT set_config('client_connection_check_interval', '10s', true) AS noticing \\gset
\\set ON_ERROR_STOP on
SELECT json_build_object(
  'number', current_setting('server_version_num')::int,
  'version', current_setting('server_version'),
  'system', :'system',
  'notices', :'noticing' <> '',
  'dbname', current_database(),
  'role', current_user,
  'replica', pg_is_in_recovery(),
  'started', CASE WHEN pg_is_in_recovery() THEN ''
                  ELSE extract(epoch FROM pg_postmaster_start_time())::text END,
  'size', CASE WHEN has_database_privilege(current_database(), 'CONNECT')
               THEN pg_database_size(current_database()) END,
  'spare', CASE WHEN current_setting('lock_timeout') <> '5s' THEN 0 ELSE least(
    current_setting('max_connections')::int
      - current_setting('superuser_reserved_connections')::int
      - coalesce(current_setting('reserved_connections', true)::int, 0)
      - (SELECT count(datid) FROM pg_stat_activity),
    (SELECT nullif(rolconnlimit, -1) FROM pg_roles WHERE rolname = session_user),
    (SELECT nullif(datconnlimit, -1) FROM pg_database
     WHERE datname = current_database())) END,
  'port', coalesce(inet_server_port(), 0),
  'tls', coalesce((SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), false));
"""
# An ACCESS EXCLUSIVE lock is what pg_dump waits for; the app's queries are not shown.
_HOLDERS = """
SELECT format('%s (%s%s), for %s', a.pid, a.usename,
    coalesce(', ' || nullif(a.application_name, ''), ''),
    date_trunc('second', clock_timestamp() - a.xact_start))
FROM pg_stat_activity a
WHERE a.pid IN (SELECT pid FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND granted
  AND locktype = 'relation'
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))
ORDER BY a.xact_start LIMIT 3;
"""
_KEEPALIVE = (
    "-c tcp_keepalives_idle=30 -c tcp_keepalives_interval=10 -c tcp_keepalives_count=3"
)


@dataclass(frozen=True)
class LiveServer:
    """A source's server, as one session saw it."""

    major: int
    version: str
    """As `16.4`."""
    system_identifier: str
    """The server's own number; "" where our role may not ask."""
    notices_disconnect: bool
    """Whether the server can end a query whose client is gone (14 or newer)."""
    dbname: str
    """The database's name on the server: a pooler's may be another."""
    role: str
    is_replica: bool
    size: int | None
    is_encrypted: bool
    spare: int = 0
    """Sessions that are free for our role; 0 behind a pooler, who does not tell."""
    port: int = 0
    """The port on which the server was reached, as it sees it; 0 for a socket."""
    started: str = ""
    """When the server was started, in seconds since 1970; "" for a replica."""

    def connections(self, wanted: int) -> int:
        """How many connections a dump may have, besides the one that leads them.

        Half of the free sessions stay free, for the app.
        """
        return max(1, min(wanted, self.spare // 2 - 1))

    @property
    def options(self) -> str:
        """The settings of a dump's session, by which the server notices our end.

        Locks of a client that has vanished would else be kept for hours.
        """
        checked = " -c client_connection_check_interval=10s"
        return _KEEPALIVE + checked * self.notices_disconnect


def ask(psql: Psql) -> LiveServer:
    """Ask a source's server. Raises CannotConnect, SqlFailed."""
    told = json.loads(psql.run(_FACTS, doing="Asking the server")[0][0])
    return LiveServer(
        major=told["number"] // 10000,
        version=told["version"].partition(" ")[0],
        system_identifier=told["system"],
        notices_disconnect=told["notices"],
        dbname=told["dbname"],
        role=told["role"],
        is_replica=told["replica"],
        spare=told["spare"],
        port=told["port"],
        started=told["started"],
        size=told["size"],
        is_encrypted=told["tls"],
    )


def lock_holders(psql: Psql) -> list[str]:
    """The sessions that hold a table's strongest lock, for a message."""
    return [row[0] for row in psql.run(_HOLDERS, doing="Asking who holds locks")]
