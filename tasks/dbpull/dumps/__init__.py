"""Dumps: their file names, and the stores on this machine and on hosts."""
