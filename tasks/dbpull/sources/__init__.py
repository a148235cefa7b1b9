"""The sources that a database can be pulled from."""
