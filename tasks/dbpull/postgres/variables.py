"""The options of a database URL, and the variables by which libpq gets them.

Source: PostgreSQL's documentation, 34.1.2 and 34.15.
"""

from __future__ import annotations

PLACES = {"host", "hostaddr", "port", "user", "password", "dbname"}
OF_TARGETS = {
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
    "sslcert": "PGSSLCERT",
    "sslkey": "PGSSLKEY",
    "passfile": "PGPASSFILE",
    "connect_timeout": "PGCONNECT_TIMEOUT",
    "channel_binding": "PGCHANNELBINDING",
    "target_session_attrs": "PGTARGETSESSIONATTRS",
    "gssencmode": "PGGSSENCMODE",
}
"""The options that a target's URL may have, beside its place."""
OF_SOURCES = OF_TARGETS | {
    "hostaddr": "PGHOSTADDR",
    "port": "PGPORT",
    "options": "PGOPTIONS",
    "sslcrl": "PGSSLCRL",
    "sslcrldir": "PGSSLCRLDIR",
    "sslsni": "PGSSLSNI",
    "sslcertmode": "PGSSLCERTMODE",
    "sslnegotiation": "PGSSLNEGOTIATION",
    "ssl_min_protocol_version": "PGSSLMINPROTOCOLVERSION",
    "ssl_max_protocol_version": "PGSSLMAXPROTOCOLVERSION",
    "require_auth": "PGREQUIREAUTH",
    "requirepeer": "PGREQUIREPEER",
    "load_balance_hosts": "PGLOADBALANCEHOSTS",
    "krbsrvname": "PGKRBSRVNAME",
    "gssdelegation": "PGGSSDELEGATION",
}
"""The options that a source's URL may have: `port` is a list where ports differ."""
OURS = {
    "application_name", "client_encoding", "fallback_application_name", "keepalives",
    "keepalives_count", "keepalives_idle", "keepalives_interval", "tcp_user_timeout",
}  # fmt: skip
"""Options of libpq for which a source's connection has values of its own."""
IGNORED = {
    "application_name", "async_fallback", "conn_health_checks", "conn_max_age",
    "connection_limit", "max_overflow", "pgbouncer", "pool", "pool_size",
    "pool_timeout", "prepared_statement_cache_size", "prepared_statements", "schema",
    "statement_cache_size",
}  # fmt: skip
"""Options of frameworks and drivers, which libpq does not know."""
