"""Rows of the replaced database that come along into the new one."""
