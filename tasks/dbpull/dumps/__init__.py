"""Dumps: their names, and the folders that they lie in, here and on hosts."""
