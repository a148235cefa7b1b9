"""A running server as a source: its URL, its facts, and pg_dump."""
