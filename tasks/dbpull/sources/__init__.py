"""Where a database can be pulled from."""
