"""PostgreSQL's client programs: find the right version, run it, read its messages."""
